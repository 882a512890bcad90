#!/usr/bin/env python3
"""Run Fallproof against a real LiteLLM proxy.

  litellm.py run VERSION [--suite PATTERN]... [--port P] [--upstreams HOST:PORT] [-- ARGS]
      Installs LiteLLM if need be, renders `fallproof plan` into its configuration,
      starts it on 127.0.0.1:P, runs `fallproof run` through it and stops it again.
      Exits as `fallproof run` does; 2 for wrong usage, 3 when it could not get that far.
      ARGS go to `fallproof run` as they are.
  litellm.py install VERSION
      Installs only, into target/gateways/litellm-VERSION, with dependencies of its time.
  litellm.py config VERSION < plan.json
      Prints the LiteLLM configuration for a plan (`fallproof plan --json`).

The Fallproof binary is built with cargo; set FALLPROOF to a command to use that instead.
Configuration and log of the last run stay beside the installation. Needs Python 3.11 and,
to install, PyPI. Linux and macOS.
"""

import argparse
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GATEWAYS = ROOT / "target" / "gateways"
MASTER_KEY = "sk-master"
START_DEADLINE = 180  # seconds; up to a minute was seen
STOP_GRACE = 10  # seconds
OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# What each version is installed with. `before` keeps dependencies to those of its time;
# `override` replaces pins of its own that PyPI may not hold; `extra` is what it forgets
# (without prisma a refused key is a plain-text 500).
VERSIONS = {
    "1.82.6": {"before": "2026-03-31"},
    "1.97.0": {"before": "2026-08-16", "override": ["fastapi==0.136.3"]},
    "1.98.0": {"before": "2026-08-23"},
    "1.109.1": {
        "before": "2026-11-22",
        "override": ["certifi==2026.10.18", "litellm-proxy-extras==0.4.110"],
        "extra": ["prisma"],
    },
}


class Failure(Exception):
    """Something outside went wrong: the message is all a person needs."""


def say(message):
    print(f"litellm.py: {message}", file=sys.stderr, flush=True)


def call(command, what, **options):
    """Runs a command to its end and returns its output; a failure shows what it said."""
    try:
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, **options)
    except OSError as error:
        raise Failure(f"{what}: {error}") from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-4000:]
        raise Failure(f"{what} failed (exit {done.returncode}):\n{said}")
    return done.stdout


def uv():
    """uv, in an environment of its own: pip cannot install as of a date."""
    home = GATEWAYS / "uv"
    if not (home / "bin/uv").exists():
        shutil.rmtree(home, ignore_errors=True)
        call([sys.executable, "-m", "venv", home], "making an environment for uv")
        call([home / "bin/pip", "install", "--quiet", "uv"], "installing uv")
    return home / "bin/uv"


def install(version):
    """Installs a version, unless it is there whole and by the same recipe."""
    home, recipe = GATEWAYS / f"litellm-{version}", VERSIONS[version]
    marker, overrides = home / "installed.json", home / "overrides.txt"
    if marker.exists() and json.loads(marker.read_text()) == recipe:
        return home
    say(f"installing LiteLLM {version} into {home}")
    tool, python = uv(), home / "venv/bin/python"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    overrides.write_text("\n".join(recipe.get("override", [])))
    own = {"UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", **OFFLINE}
    own |= {"UV_EXCLUDE_NEWER": recipe["before"], "UV_OVERRIDE": str(overrides)}
    options = {"cwd": home, "env": os.environ | own | {"UV_CACHE_DIR": str(GATEWAYS / "uv-cache")}}
    pip = [tool, "pip", "install", "--quiet", "--python", python, *recipe.get("extra", [])]
    call([tool, "venv", "--quiet", "--python", sys.executable, home / "venv"], "uv venv", **options)
    call([*pip, f"litellm[proxy]=={version}"], "the installation", **options)
    call([python, "-c", "import litellm.proxy.proxy_server"], "importing litellm", **options)
    marker.write_text(json.dumps(recipe))
    return home


def deployment(name, hop, policy):
    """One upstream of a plan as an entry of LiteLLM's model_list."""
    params = {"api_key": hop["key"], "timeout": policy["timeout_ms"] / 1000}
    if hop["surface"] == "openai":
        params |= {"model": f"openai/{hop['model']}", "api_base": hop["base_url"]}
    elif hop["surface"] in ("v1", "legacy"):
        params |= {"model": f"azure/{hop['deployment']}", "api_base": hop["host"]}
        params["api_version"] = "v1" if hop["surface"] == "v1" else hop["api_version"]
    else:
        raise Failure(f"{name}: no rendering for the surface {hop['surface']!r}")
    if policy["retries"]:
        params["num_retries"] = policy["retries"]
    # A deployment may have any name; which parameters pass goes by the model behind it.
    info = {"base_model": hop["model"]}
    return {"model_name": name, "litellm_params": params, "model_info": info}


def config(plan):
    """The configuration: a model group per chain entry, joined by fallback rules."""
    models, fallbacks = [], []
    try:
        for group in json.loads(plan)["groups"]:
            first, chain = group["group"], group["chain"]
            names = [first] + [f"{first}.fb{n}" for n in range(1, len(chain))]
            models += [deployment(n, hop, group["policy"]) for n, hop in zip(names, chain)]
            fallbacks += [{first: names[1:]}] if names[1:] else []
    except (KeyError, TypeError, ValueError) as error:
        raise Failure(f"not a plan as `fallproof plan --json` prints it: {error!r}") from None
    router = {"num_retries": 0, "disable_cooldowns": True, "timeout": 30, "fallbacks": fallbacks}
    whole = {"model_list": models, "router_settings": router}
    whole["general_settings"] = {"master_key": MASTER_KEY}
    return json.dumps(whole, indent=2)  # JSON is YAML


def fallproof():
    """The command that runs Fallproof."""
    if "FALLPROOF" in os.environ:
        return shlex.split(os.environ["FALLPROOF"])
    call(["cargo", "build", "--quiet"], "cargo build", cwd=ROOT)
    return [str(ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug/fallproof")]


def need_free(host, port, whose):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise Failure(f"{host}:{port}, wanted for {whose}: {error}") from None


def start(home, port):
    """Starts the gateway in a process group of its own."""
    # Only what it needs: a key or a proxy of the caller's environment must not reach it.
    environment = {key: os.environ[key] for key in ("PATH", "LANG", "TMPDIR") if key in os.environ}
    environment |= {"HOME": str(home), "PYTHONUNBUFFERED": "1", "NO_PROXY": "*"}
    # num_retries: 0 does not reach embeddings: there the client library would retry twice.
    environment |= {"DEFAULT_MAX_RETRIES": "0", **OFFLINE}
    command = [home / "venv/bin/litellm", "--config", home / "config.json"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    with open(home / "litellm.log", "wb") as log:
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
        own = {"cwd": home, "env": environment, "start_new_session": True}
        return subprocess.Popen(command, **own, **streams)


def wait_ready(gateway, home, port):
    """Returns when the gateway answers; shows the end of its log if it does not."""
    url = f"http://127.0.0.1:{port}/health/liveliness"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    began, log = time.monotonic(), home / "litellm.log"
    while gateway.poll() is None and time.monotonic() - began < START_DEADLINE:
        try:
            with direct.open(url, timeout=5):
                return say(f"ready after {time.monotonic() - began:.0f} s; its log is {log}")
        except OSError:
            time.sleep(0.2)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
    state = "not ready yet" if gateway.poll() is None else f"exit {gateway.returncode}"
    raise Failure(f"LiteLLM did not start ({state}); the end of {log}:\n{tail}")


def stop(gateway):
    """Stops the gateway and whatever it started: politely, then not."""
    for sign in SIGNALS:  # nothing may interrupt this; it is bounded
        signal.signal(sign, signal.SIG_IGN)
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(gateway.pid, sign)
            gateway.wait(STOP_GRACE)
        except subprocess.TimeoutExpired:
            continue
        except (ProcessLookupError, PermissionError):  # none left
            break


def run(version, patterns, port, upstreams, extra):
    need_free("127.0.0.1", port, "LiteLLM (--port)")
    need_free(*upstreams, "the mock providers (--upstreams)")
    home, tool = install(version), fallproof()
    common = ["--upstreams", "{}:{}".format(*upstreams), *patterns]
    (home / "config.json").write_text(config(call([*tool, "plan", "--json", *common], "the plan")))
    say(f"starting LiteLLM {version} on port {port}")
    gateway = start(home, port)
    try:
        wait_ready(gateway, home, port)
        target = ["--target", f"http://127.0.0.1:{port}/v1", "--key", MASTER_KEY]
        return subprocess.run([*tool, "run", *target, *common, *extra]).returncode
    finally:
        stop(gateway)


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def main():
    own, extra = sys.argv[1:], []
    if "--" in own:
        own, extra = own[: own.index("--")], own[own.index("--") + 1 :]
    looks = {"description": __doc__, "formatter_class": argparse.RawTextHelpFormatter}
    parser = argparse.ArgumentParser(epilog="Known versions: " + ", ".join(VERSIONS), **looks)
    parser.add_argument("command", choices=("run", "install", "config"))
    parser.add_argument("version", choices=VERSIONS, metavar="VERSION")
    parser.add_argument("--suite", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--port", type=int, default=4100, metavar="P", help="default: 4100")
    upstreams = {"type": address, "default": "127.0.0.1:9100", "metavar": "HOST:PORT"}
    parser.add_argument("--upstreams", **upstreams, help="default: 127.0.0.1:9100")
    asked = parser.parse_args(own)
    for sign in SIGNALS:  # leave by SystemExit, so that a started gateway is stopped
        signal.signal(sign, lambda number, _: sys.exit(128 + number))
    try:
        if asked.command == "run":
            return run(asked.version, asked.suite, asked.port, asked.upstreams, extra)
        print(install(asked.version) if asked.command == "install" else config(sys.stdin.read()))
    except Failure as failure:
        say(failure)
        return 3


if __name__ == "__main__":
    sys.exit(main())
