#!/usr/bin/env python3
"""Run Fallproof against a real LiteLLM proxy.

  litellm.py run VERSION [--suite PATTERN]... [--port P] [--upstreams HOST:PORT] [-- ARGS]
      Installs LiteLLM if need be, renders `fallproof plan` into its configuration,
      starts it on 127.0.0.1:P, runs `fallproof run` through it and stops it again.
      Exits as `fallproof run` does; 2 for wrong usage, 3 when it could not get that far.
      ARGS go to `fallproof run` as they are.
  litellm.py install VERSION
      Installs only: into target/gateways/litellm-VERSION, with the dependencies of
      that version's time.
  litellm.py config VERSION < plan.json
      Prints the LiteLLM configuration for a plan (`fallproof plan --json`).

The Fallproof binary is built with cargo; set FALLPROOF to a command to use that instead.
Configuration and log of a run stay in target/gateways/litellm-VERSION. Needs Python 3.11
and, for an installation, PyPI. Linux and macOS.
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
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GATEWAYS = ROOT / "target" / "gateways"
MASTER_KEY = "sk-master"
START_DEADLINE = 180  # seconds; up to a minute was seen
STOP_GRACE = 10

# What each version is installed with. `before` keeps dependencies to those of its time;
# `override` replaces pins of its own that PyPI does not hold; `extra` is what it forgets.
VERSIONS = {
    "1.82.6": {"before": "2026-03-31"},
    "1.97.0": {"before": "2026-08-16"},
    "1.98.0": {"before": "2026-08-23"},
    "1.109.1": {
        "before": "2026-11-22",
        "override": ["certifi==2026.10.18", "litellm-proxy-extras==0.4.110"],
        "extra": ["prisma"],  # without it a refused key is a plain-text 500
    },
}


class Failure(Exception):
    """Something outside went wrong: the message is all a person needs."""


def say(message):
    print(f"litellm.py: {message}", file=sys.stderr, flush=True)


def call(command, what, **options):
    """Runs a command to its end and returns its output; a failure shows what it said."""
    try:
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, **options
        )
    except FileNotFoundError as error:
        raise Failure(f"{what}: no such command: {error.filename}") from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-4000:]
        raise Failure(f"{what} failed (exit {done.returncode}):\n{said}")
    return done.stdout


# ---- install ----------------------------------------------------------------------------


def folder(version):
    return GATEWAYS / f"litellm-{version}"


def uv():
    """uv from PyPI, in an environment of its own: pip cannot install "as of" a date."""
    binary = GATEWAYS / "uv" / "bin" / "uv"
    if not binary.exists():
        say("installing uv")
        shutil.rmtree(GATEWAYS / "uv", ignore_errors=True)
        call([sys.executable, "-m", "venv", GATEWAYS / "uv"], "making an environment for uv")
        call([GATEWAYS / "uv" / "bin" / "pip", "install", "--quiet", "uv"], "pip install uv")
    return binary


def install(version):
    """Installs a version unless it is there, whole and by the same recipe."""
    home, recipe = folder(version), VERSIONS[version]
    marker = home / "installed.json"
    if marker.exists() and json.loads(marker.read_text()) == recipe:
        return home
    say(f"installing LiteLLM {version} into {home}")
    tool = uv()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    overrides = home / "overrides.txt"
    overrides.write_text("".join(f"{pin}\n" for pin in recipe.get("override", [])))
    environment = os.environ | {
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_CACHE_DIR": str(GATEWAYS / "uv-cache"),
    }
    call([tool, "venv", "--python", sys.executable, home / "venv"], "uv venv", env=environment)
    call(
        [tool, "pip", "install", "--python", home / "venv", "--exclude-newer", recipe["before"]]
        + ["--overrides", overrides, f"litellm[proxy]=={version}", *recipe.get("extra", [])],
        f"installing litellm {version}",
        env=environment,
    )
    call([home / "venv/bin/python", "-c", "import litellm.proxy.proxy_cli"], "importing litellm")
    marker.write_text(json.dumps(recipe))
    return home


# ---- configuration ----------------------------------------------------------------------


def deployment(name, hop, policy):
    """One upstream of a plan as an entry of LiteLLM's model_list."""
    params = {"api_key": hop["key"], "timeout": policy["timeout_ms"] / 1000}
    match hop["surface"]:
        case "openai":
            params |= {"model": f"openai/{hop['model']}", "api_base": hop["base_url"]}
        case "v1":
            params |= {"model": f"azure/{hop['deployment']}", "api_base": hop["host"]}
            params |= {"api_version": "v1"}
        case "legacy":
            params |= {"model": f"azure/{hop['deployment']}", "api_base": hop["host"]}
            params |= {"api_version": hop["api_version"]}
        case other:
            raise Failure(f"{name}: LiteLLM is not known to have the surface {other!r}")
    return {"model_name": name, "litellm_params": params}


def config(plan):
    """A LiteLLM configuration: a model group per chain entry, joined by fallback rules."""
    models, fallbacks = [], []
    for group in plan["groups"]:
        first = group["group"]
        names = [first] + [f"{first}.fb{n}" for n in range(1, len(group["chain"]))]
        for name, hop in zip(names, group["chain"]):
            models.append(deployment(name, hop, group["policy"]))
        if len(names) > 1:
            fallbacks.append({first: names[1:]})
    router = {"num_retries": 0, "disable_cooldowns": True, "timeout": 30, "fallbacks": fallbacks}
    return {
        "model_list": models,
        "router_settings": router,
        "general_settings": {"master_key": MASTER_KEY},
    }


# ---- run --------------------------------------------------------------------------------


def fallproof():
    """The command that runs Fallproof."""
    if "FALLPROOF" in os.environ:
        return shlex.split(os.environ["FALLPROOF"])
    call(["cargo", "build", "--quiet"], "cargo build", cwd=ROOT)
    return [str(Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "fallproof")]


def need_free(host, port, whose):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Failure(f"{host}:{port}, wanted for {whose}: {error.strerror}") from None


def start(home, port):
    """Starts the gateway in a process group of its own."""
    # Only what it needs: a key or a proxy of the caller's environment must not reach it.
    environment = {key: os.environ[key] for key in ("PATH", "LANG", "TMPDIR") if key in os.environ}
    environment |= {
        "HOME": str(home),
        "PYTHONUNBUFFERED": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "*",
    }
    command = [home / "venv/bin/litellm", "--config", home / "config.json"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    with open(home / "litellm.log", "wb") as log:
        return subprocess.Popen(
            command,
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_ready(gateway, home, port):
    """Returns when the gateway answers; shows the end of its log when it does not."""
    url = f"http://127.0.0.1:{port}/health/liveliness"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    began = time.monotonic()
    problem = f"did not answer within {START_DEADLINE} s"
    while time.monotonic() - began < START_DEADLINE:
        if gateway.poll() is not None:
            problem = f"ended at once (exit {gateway.returncode})"
            break
        try:
            with direct.open(url, timeout=5):
                return time.monotonic() - began
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    log = home / "litellm.log"
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
    raise Failure(f"LiteLLM {problem}; the end of {log}:\n{tail}")


def stop(gateway):
    """Stops the gateway and whatever it started: politely, then not."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(gateway.pid, sign)
        except (ProcessLookupError, PermissionError):  # all gone
            break
        try:
            gateway.wait(STOP_GRACE)
        except subprocess.TimeoutExpired:
            continue


def run(version, patterns, port, upstreams, extra):
    host, _, upstream_port = upstreams.rpartition(":")
    need_free("127.0.0.1", port, "LiteLLM (--port)")
    need_free(host, int(upstream_port), "the mock providers (--upstreams)")
    home, tool = install(version), fallproof()
    common = ["--upstreams", upstreams, *patterns]
    plan = json.loads(call([*tool, "plan", "--json", *common], "fallproof plan"))
    (home / "config.json").write_text(json.dumps(config(plan), indent=2))
    say(f"LiteLLM {version}: {len(plan['groups'])} groups, plan {plan['fingerprint']}")
    gateway = start(home, port)
    try:
        say(f"ready after {wait_ready(gateway, home, port):.0f} s; log in {home / 'litellm.log'}")
        target = ["--target", f"http://127.0.0.1:{port}/v1", "--key", MASTER_KEY]
        return subprocess.run([*tool, "run", *target, *common, *extra]).returncode
    finally:
        stop(gateway)


def arguments():
    """What the command line asks for; what follows `--` is kept apart as it is."""
    own, extra = sys.argv[1:], []
    if "--" in own:
        at = own.index("--")
        own, extra = own[:at], own[at + 1 :]
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Known versions: " + ", ".join(VERSIONS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in ("run", "install", "config"):
        command = commands.add_parser(name)
        command.add_argument("version", choices=VERSIONS, metavar="VERSION")
        if name == "run":
            command.add_argument("--suite", action="append", default=[], metavar="PATTERN")
            command.add_argument("--port", type=int, default=4100)
            command.add_argument("--upstreams", default="127.0.0.1:9100", metavar="HOST:PORT")
    chosen = parser.parse_args(own)
    if extra and chosen.command != "run":
        parser.error("only run takes arguments after --")
    return chosen, extra


def main():
    chosen, extra = arguments()
    for sign in (signal.SIGTERM, signal.SIGHUP):  # so that `finally` stops the gateway
        signal.signal(sign, lambda number, _: sys.exit(128 + number))
    try:
        match chosen.command:
            case "install":
                print(install(chosen.version))
            case "config":
                print(json.dumps(config(json.load(sys.stdin)), indent=2))
            case "run":
                return run(chosen.version, chosen.suite, chosen.port, chosen.upstreams, extra)
    except Failure as failure:
        say(failure)
        return 3
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
