#!/usr/bin/env python3
"""Generates the request schemas in this folder. See README.md.

    python3 mocks/strict/spec/generate.py                    write the files and print the changes
    python3 mocks/strict/spec/generate.py --check            write nothing; exit with 1 if a file is out of date
    python3 mocks/strict/spec/generate.py --accepted FILE    try requests that the live API accepted
                                                      (recorded.py; JSON lines: endpoint, source, body)

The source is the parameter types of OpenAI's Python SDK. Pydantic converts them to JSON Schema. This
script reduces the result to the subset that README.md describes, closes every object, and applies the
corrections in overlay.yaml. It creates its own virtual environment in target/spec-venv and runs itself
there.
"""

import argparse
import copy
import json
import os
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from recorded import deref, try_accepted  # noqa: E402

HERE = Path(__file__).resolve().parent
VENV = HERE.parents[2] / "target" / "spec-venv"
SDK = {"package": "openai", "version": "3.54.0", "released": "2026-11-17"}
PINS = [
    f"openai=={SDK['version']}",
    "pydantic==2.14.3",
    "pydantic_core==2.50.4",
    "PyYAML==6.0.3",
    "jsonschema==4.26.0",
]

SURFACES = {  # each with the api-version that its schemas describe
    "openai": None,
    "azure-v1": "v1",
    "azure-legacy": "2025-04-01-preview",
}
ENDPOINTS = {  # our name, and the SDK type that the schema is generated from
    "chat.completions": "openai.types.chat.CompletionCreateParams",
    "completions": "openai.types.CompletionCreateParams",
    "embeddings": "openai.types.EmbeddingCreateParams",
    "responses": "openai.types.responses.ResponseCreateParams",
    "responses.compact": "openai.types.responses.ResponseCompactParams",
    "images.generations": "openai.types.ImageGenerateParams",
    "audio.speech": "openai.types.audio.SpeechCreateParams",
    "audio.transcriptions": "openai.types.audio.TranscriptionCreateParams",
    "audio.translations": "openai.types.audio.TranslationCreateParams",
    "moderations": "openai.types.ModerationCreateParams",
}
ONLY_ON = {"moderations": {"openai"}}  # the surfaces of endpoints that are not on all surfaces

KINDS = {"loosen", "tighten", "replace", "observe", "add-parameter", "remove-parameter", "add-rule", "wording"}
ACTIONS = {"merge", "set", "drop", "branch", "rule"}
ENTRY_KEYS = {"id", "kind", "surfaces", "also", "endpoints", "at", "steps", "evidence", "date", "strength"} | ACTIONS
RULE_KEYS = {  # keys of each kind of rule, besides id, kind, strength, evidence and date
    "requires": {"param", "requires", "requires_present", "message", "code"},
    "moved": {"param", "message", "code", "error_param"},
    "unsupported_for_model": {"param", "models", "except", "message", "code", "error_param"},
    "unsupported_value_for_model": {"param", "models", "except", "allowed", "refused", "message", "code", "error_param"},
}
KEYWORDS = (  # the keywords that a finished schema may use; others are an error
    "$ref type properties required additionalProperties items enum anyOf minimum maximum "
    "maxLength minItems maxItems maxProperties pattern x-file x-strength x-discriminator x-unproven x-missed"
).split()


# ---- virtual environment --------------------------------------------------------------------------


def enter_venv():
    """Re-executes this script inside the pinned environment, creating it if needed."""
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp, wanted = VENV / "pins.txt", "\n".join(PINS)
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PINS], check=True)
        stamp.write_text(wanted)
    if Path(sys.prefix).resolve() != VENV.resolve():
        args = [str(python), "-W", "ignore", str(Path(__file__).resolve()), *sys.argv[1:]]
        sys.exit(subprocess.run(args).returncode)


# ---- from the SDK's types to the subset -----------------------------------------------------------


def base_schema(type_path):
    """Converts an SDK type to the schema of a closed object in the subset, with $defs."""
    from importlib import import_module

    from pydantic import TypeAdapter

    module, name = type_path.rsplit(".", 1)
    owner = import_module(module)
    name_files_plainly()
    raw = TypeAdapter(getattr(owner, name)).json_schema()
    defs = {short(k): clean(v) for k, v in raw.pop("$defs", {}).items()}
    root = clean(raw)
    if "anyOf" in root:
        root = merge_roots([deref(branch, defs) for branch in root["anyOf"]])
    return {**root, "$defs": defs}


def name_files_plainly():
    """Replaces the SDK's many Python types for an uploaded file with one marker."""
    from typing import Annotated

    from pydantic import WithJsonSchema

    file = Annotated[bytes, WithJsonSchema({"type": "string", "x-file": True})]
    for name, module in list(sys.modules.items()):
        if name.startswith("openai.types.") and hasattr(module, "FileTypes"):
            module.FileTypes = file


def short(name):
    """openai__types__shared_params__reasoning__Reasoning -> reasoning.Reasoning"""
    return ".".join(name.split("__")[-2:]) if name.startswith("openai__") else name


def clean(node):
    """Reduces a schema to names and types: drops titles, descriptions and defaults, and closes objects."""
    out = {}
    if "$ref" in node:
        return {"$ref": "#/$defs/" + short(node["$ref"].removeprefix("#/$defs/"))}
    if "anyOf" in node or "oneOf" in node:
        return any_of([clean(n) for n in node.get("anyOf") or node["oneOf"]])
    for key in ("type", "enum", "required", "x-file"):
        if key in node:
            out[key] = node[key]
    if "const" in node:
        out["enum"] = [node["const"]]
    if "items" in node:
        out["items"] = clean(node["items"])
    if "properties" in node:
        out["properties"] = {name: clean(n) for name, n in node["properties"].items()}
    if out.get("type") == "object":
        more = node.get("additionalProperties", "properties" not in node)
        out["additionalProperties"] = clean(more) if isinstance(more, dict) else more
    unknown = set(node) - set(KEYWORDS) - {"title", "description", "default", "const", "oneOf", "$defs"}
    if unknown:
        raise SystemExit(f"the SDK's schema uses {sorted(unknown)}, which the subset has no place for")
    return out


def any_of(branches):
    """Simplifies a union."""
    flat = []
    for branch in branches:
        for one in branch["anyOf"] if "anyOf" in branch else [branch]:
            kinds = one["type"] if isinstance(one.get("type"), list) else [one.get("type")]
            for kind in kinds:  # a nullable type becomes two branches here
                part = {**one, "type": kind} if len(kinds) > 1 else one
                if "enum" in part and len(kinds) > 1:
                    part["enum"] = [v for v in part["enum"] if v is not None]
                part = {"type": "null"} if kind == "null" else part
                if part not in flat:
                    flat.append(part)
    if {} in flat:
        return {}
    for kind in ("string", "boolean"):  # one branch per scalar type; one that lists no values replaces the others
        same = [b for b in flat if b.get("type") == kind]
        if len(same) > 1:
            lists = [b.get("enum") for b in same]
            values = None if None in lists else list(dict.fromkeys(v for one in lists for v in one))
            if kind == "boolean" and values is not None and len(values) == 2:
                values = None
            merged = {"type": kind} if values is None else {"type": kind, "enum": values}
            flat = [merged if b is same[0] else b for b in flat if b is same[0] or b not in same]
    null = {"type": "null"}
    rest = [b for b in flat if b != null]
    if null in flat and len(rest) == 1 and isinstance(rest[0].get("type"), str):
        one = {**rest[0], "type": [rest[0]["type"], "null"]}
        if "enum" in one:
            one["enum"] = one["enum"] + [None]
        return one
    return flat[0] if len(flat) == 1 else {"anyOf": rest + [b for b in flat if b == null]}


def merge_roots(roots):
    """Merges the streaming and non-streaming forms of a request into one object."""
    names = dict.fromkeys(name for root in roots for name in root["properties"])
    return {
        "type": "object",
        "properties": {n: any_of([r["properties"][n] for r in roots if n in r["properties"]]) for n in names},
        "required": [n for n in names if all(n in r.get("required", []) for r in roots) and n != "stream"],
        "additionalProperties": False,
    }


# ---- overlay --------------------------------------------------------------------------------------


def load_overlay():
    import yaml

    entries = yaml.safe_load((HERE / "overlay.yaml").read_text(encoding="utf-8"))["overlay"]
    seen = set()
    for e in entries:
        problems = [f"unknown key {k}" for k in set(e) - ENTRY_KEYS]
        problems += [f"no {k}" for k in ("endpoints", "evidence", "date") if k not in e]
        problems += ["kind"] if e["kind"] not in KINDS else []
        problems += ["strength"] if e.get("strength") not in ("observed", "documented") else []
        problems += ["id is used twice"] if e["id"] in seen else []
        for step in e.get("steps", [e]):
            problems += ["one action each"] if len(set(step) & ACTIONS) != 1 else []
        if rule := e.get("rule"):
            problems += [f"rule key {k}" for k in set(rule) - {"kind"} - RULE_KEYS[rule["kind"]]]
        if problems:
            raise SystemExit(f"overlay entry {e['id']}: {', '.join(problems)}")
        seen.add(e["id"])
    return entries


def strength_on(entry, surface):
    """Strength of the entry on this surface; None if the entry does not apply to the surface."""
    if surface in entry.get("also", []):
        return "documented"
    return entry["strength"] if surface in entry.get("surfaces", SURFACES) else None


def apply(schema, entry, strength):
    if "rule" in entry:
        head = {"id": entry["id"], "strength": strength, "date": str(entry["date"])}
        schema["x-rules"].append({**head, "evidence": " ".join(entry["evidence"].split()), **entry["rule"]})
        return
    for step in entry.get("steps", [entry]):
        for place in step["at"] if isinstance(step["at"], list) else [step["at"]]:
            take(schema, entry, step, place, strength)


def take(schema, entry, step, place, strength):
    """Applies one step of an entry at one pointer."""
    parent, key = find(schema, place, entry)
    if "set" in step:
        parent[key] = strength if key == "x-strength" else copy.deepcopy(step["set"])
        return
    if isinstance(parent, dict) and key not in parent:
        raise SystemExit(f"overlay entry {entry['id']}: nothing at {place}")
    if "branch" in step:
        parent[key] = any_of([parent[key], copy.deepcopy(step["branch"])])
    elif "merge" in step:
        deep_merge(parent[key], step["merge"])
    else:
        for name in step["drop"]:  # fails if the name does not exist
            parent[key].remove(name) if isinstance(parent[key], list) else parent[key].pop(name)
        if entry["kind"] == "remove-parameter" and strength == "documented":
            parent.setdefault("x-unproven", []).extend(step["drop"])
    if entry["kind"] == "tighten" and "merge" in step and strength == "observed":
        parent[key]["x-strength"] = strength


def find(schema, pointer, entry):
    """Returns the parent node and the last key of a JSON pointer. Follows $refs on the way."""
    node = schema
    *steps, last = pointer.lstrip("/").split("/")
    for step in steps:
        try:
            node = deref(node, schema["$defs"]) if "$ref" in node else node
            node = node[int(step)] if isinstance(node, list) else node[step]
        except (KeyError, IndexError, ValueError):
            raise SystemExit(f"overlay entry {entry['id']}: no {step} on the way to {pointer}") from None
    node = deref(node, schema["$defs"]) if "$ref" in node else node
    return node, int(last) if isinstance(node, list) else last


def deep_merge(into, more):
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            deep_merge(into[key], value)
        else:
            into[key] = copy.deepcopy(value)


# ---- finishing ------------------------------------------------------------------------------------


def finish(schema):
    """Drops unused definitions, annotates tagged unions, and checks that only the subset is used."""
    defs, used, queue = schema.pop("$defs"), {}, [schema["properties"]]
    while queue:
        for node in walk(queue.pop()):
            name = node.get("$ref", "").removeprefix("#/$defs/") if isinstance(node.get("$ref"), str) else ""
            if name and name not in used:
                used[name] = defs[name]
                queue.append(defs[name])
    if used:
        schema["$defs"] = used
    for node in [schema, *schema_nodes(schema["properties"].values()), *schema_nodes(used.values())]:
        extra = set(node) - set(KEYWORDS) - ({"$defs", "x-rules", "x-legacy-wording"} if node is schema else set())
        if extra:
            raise SystemExit(f"outside the subset: {sorted(extra)} in {json.dumps(node)[:200]}")
        if node.get("required"):
            node["required"] = sorted(node["required"])
        if "anyOf" in node and (tag := discriminator(node["anyOf"], used)):
            node["x-discriminator"] = tag


def walk(node):
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
        yield from walk(child)


def schema_nodes(nodes):
    for node in nodes:
        yield node
        yield from schema_nodes(node.get("properties", {}).values())
        yield from schema_nodes(node.get("anyOf", []))
        inner = (node.get("items"), node.get("additionalProperties"))
        yield from schema_nodes([n for n in inner if isinstance(n, dict)])


def discriminator(branches, defs):
    """The property that distinguishes the object branches, or two such properties in order."""
    objects = [o for o in (deref(b, defs) for b in branches) if o.get("type") == "object"]
    if len(objects) < 2:
        return None
    tags = []
    for name in ("type", "role"):
        values = [o.get("properties", {}).get(name, {}).get("enum") for o in objects]
        if tags or all(values):
            tags.append(name)
            known = [tuple(sorted(v for v in vs or [] if v is not None)) for vs in values]
            flat = [v for vs in known for v in vs]
            if len(flat) == len(set(flat)):
                break
    helps = any("role" in o.get("properties", {}) for o in objects)
    tags = tags if helps else tags[:1]
    return tags[0] if len(tags) == 1 else tags or None


def generate():
    entries = load_overlay()
    bases = {name: base_schema(path) for name, path in ENDPOINTS.items()}
    files = {}
    for surface in SURFACES:
        for endpoint, type_path in ENDPOINTS.items():
            if surface not in ONLY_ON.get(endpoint, SURFACES):
                continue
            schema = {**copy.deepcopy(bases[endpoint]), "x-strength": "documented", "x-rules": []}
            mine = [e for e in entries if endpoint in e["endpoints"] and strength_on(e, surface)]
            for entry in mine:
                apply(schema, entry, strength_on(entry, surface))
            finish(schema)
            files[f"{surface}/{endpoint}.json"] = {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$id": f"fallproof:{surface}/{endpoint}",
                "x-provenance": {**SDK, "type": type_path, "overlay": [e["id"] for e in mine]}
                | ({"api_version": SURFACES[surface]} if SURFACES[surface] else {}),
                **schema,
            }
    return files


def changes(old, new, at=""):
    """Formats the differences between two values, one line per difference, with JSON pointers."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            here = f"{at}/{key}"
            if key not in new:
                yield f"  removed {here}"
            elif key not in old:
                yield f"  added   {here}"
            else:
                yield from changes(old[key], new[key], here)
    elif isinstance(old, list) and isinstance(new, list) and old != new:
        gone, come = [v for v in old if v not in new], [v for v in new if v not in old]
        if len(old) == len(new) and all(isinstance(v, dict) and "$ref" not in v for v in gone + come) and gone:
            for index, pair in enumerate(zip(old, new)):
                yield from changes(*pair, f"{at}/{index}")
            return
        yield from (f"  removed {at}: {json.dumps(v)[:80]}" for v in gone)
        yield from (f"  added   {at}: {json.dumps(v)[:80]}" for v in come)
        if not gone + come:
            yield f"  order   {at}"
    elif old != new:
        yield f"  changed {at}: {json.dumps(old)[:80]} -> {json.dumps(new)[:80]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file is out of date")
    parser.add_argument("--accepted", metavar="FILE", help="try recorded requests instead of writing")
    options = parser.parse_args()
    enter_venv()
    files = generate()
    if options.accepted:
        sys.exit(0 if try_accepted(files, options.accepted) else 1)
    dirty = False
    for name, schema in files.items():
        path, text = HERE / name, json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        old = path.read_text() if path.exists() else None
        if old == text:
            print(f"{name}: unchanged")
            continue
        dirty = True
        print(f"{name}: {'new' if old is None else 'changed'}", *changes(json.loads(old or "null"), schema), sep="\n")
        if not options.check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    sys.exit(1 if options.check and dirty else 0)


if __name__ == "__main__":
    main()
