#!/usr/bin/env python3
"""Generates the request schemas in this folder. See README.md.

    python3 mocks/spec/generate.py                    write the files, print what changed
    python3 mocks/spec/generate.py --check            write nothing; exit 1 if something would change
    python3 mocks/spec/generate.py --accepted FILE    try recorded requests that the live API accepted
                                                      (JSON lines: endpoint, source, body)

Source: the parameter types of OpenAI's Python SDK, turned into JSON Schema by pydantic, cut down to
the subset that README.md describes, closed at every object, then corrected by overlay.yaml.
The script makes a virtual environment of its own in target/spec-venv and runs itself in there.
"""

import argparse
import copy
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE.parents[1] / "target" / "spec-venv"
SDK = {"package": "openai", "version": "3.54.0", "released": "2026-11-17"}
PINS = [
    f"openai=={SDK['version']}",
    "pydantic==2.14.3",
    "pydantic_core==2.50.4",
    "PyYAML==6.0.3",
    "jsonschema==4.26.0",
]

SURFACES = ["openai", "azure-v1", "azure-legacy"]
ENDPOINTS = {  # our name: the SDK type it is made of
    "chat.completions": "openai.types.chat.CompletionCreateParams",
    "embeddings": "openai.types.EmbeddingCreateParams",
    "responses": "openai.types.responses.ResponseCreateParams",
    "responses.compact": "openai.types.responses.ResponseCompactParams",
}
PATHS = {"/" + name.replace(".", "/"): name for name in ENDPOINTS}

KINDS = {"loosen", "tighten", "replace", "observe", "add-parameter", "remove-parameter", "add-rule"}
ACTIONS = {"merge", "set", "drop", "branch", "rule"}
ENTRY_KEYS = {"id", "kind", "surfaces", "endpoints", "at", "evidence", "date", "strength"} | ACTIONS
RULE_KEYS = {  # besides id, kind, strength, evidence and date
    "requires": {"param", "requires", "requires_present", "message", "code"},
    "unsupported_for_model": {"param", "models", "except", "message", "code", "error_param"},
    "unsupported_value_for_model": {"param", "models", "except", "unless", "allowed", "refused", "message", "code"},
}
KEYWORDS = (  # what a finished schema may use; extra keys are an error
    "$ref type properties required additionalProperties items enum anyOf minimum maximum minLength "
    "maxLength minItems maxItems maxProperties pattern x-strength x-discriminator"
).split()


# ---- virtual environment --------------------------------------------------------------------------


def enter_venv():
    """Re-executes this script inside the pinned environment, building it where needed."""
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
    """The SDK type as one closed object schema of the subset, with $defs."""
    from importlib import import_module

    from pydantic import TypeAdapter

    module, name = type_path.rsplit(".", 1)
    owner = import_module(module)
    if not hasattr(owner, name):  # unions live in the module that defines their members
        owner = import_module(f"{module}.{ {'CompletionCreateParams': 'completion_create_params'}[name] }")
    raw = TypeAdapter(getattr(owner, name)).json_schema()
    defs = {short(k): clean(v) for k, v in raw.pop("$defs", {}).items()}
    root = clean(raw)
    if "anyOf" in root:
        root = merge_roots([deref(branch, defs) for branch in root["anyOf"]])
    return {**root, "$defs": defs}


def short(name):
    """openai__types__shared_params__reasoning__Reasoning -> reasoning.Reasoning"""
    return ".".join(name.split("__")[-2:]) if name.startswith("openai__") else name


def clean(node):
    """Keeps names and types; drops titles, texts and defaults; closes objects."""
    out = {}
    if "$ref" in node:
        return {"$ref": "#/$defs/" + short(node["$ref"].removeprefix("#/$defs/"))}
    if "anyOf" in node or "oneOf" in node:
        return any_of([clean(n) for n in node.get("anyOf") or node["oneOf"]])
    for key in ("type", "enum", "required"):
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
    """A union, made as simple as it can be."""
    flat = []
    for branch in branches:
        for one in branch["anyOf"] if "anyOf" in branch else [branch]:
            if one not in flat:
                flat.append(one)
    if {} in flat:
        return {}
    for kind in ("string", "boolean"):  # one branch per scalar type: open absorbs listed values
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
    """The streaming and the non-streaming form of a request as one object."""
    names = dict.fromkeys(name for root in roots for name in root["properties"])
    return {
        "type": "object",
        "properties": {n: any_of([r["properties"][n] for r in roots if n in r["properties"]]) for n in names},
        "required": [n for n in names if all(n in r.get("required", []) for r in roots) and n != "stream"],
        "additionalProperties": False,
    }


def deref(node, defs):
    return deref(defs[node["$ref"].removeprefix("#/$defs/")], defs) if "$ref" in node else node


# ---- overlay --------------------------------------------------------------------------------------


def load_overlay():
    import yaml

    entries = yaml.safe_load((HERE / "overlay.yaml").read_text())["overlay"]
    seen = set()
    for e in entries:
        wrong = (set(e) - ENTRY_KEYS) | ({e["kind"]} - KINDS)
        missing = {"id", "kind", "endpoints", "evidence", "date", "strength"} - set(e)
        if wrong or missing or e["id"] in seen or len(set(e) & ACTIONS) != 1:
            raise SystemExit(f"overlay entry {e.get('id')}: wrong {sorted(wrong)}, missing {sorted(missing)}, or not unique")
        if e["strength"] not in ("observed", "documented"):
            raise SystemExit(f"overlay entry {e['id']}: strength {e['strength']}")
        if "rule" in e and set(e["rule"]) - {"kind"} - RULE_KEYS[e["rule"]["kind"]]:
            raise SystemExit(f"overlay entry {e['id']}: rule keys")
        seen.add(e["id"])
    return entries


def apply(schema, entry):
    if "rule" in entry:
        head = {k: str(entry[k]) for k in ("id", "strength", "date")}
        schema["x-rules"].append({**head, "evidence": " ".join(str(entry["evidence"]).split()), **entry["rule"]})
        return
    places = entry["at"] if isinstance(entry["at"], list) else [entry["at"]]
    for place in places:
        parent, key = find(schema, place, entry)
        if "set" in entry:
            parent[key] = copy.deepcopy(entry["set"])
            continue
        if key not in parent:
            raise SystemExit(f"overlay entry {entry['id']}: nothing at {place}")
        if "merge" in entry:
            deep_merge(parent[key], entry["merge"])
        elif "branch" in entry:
            parent[key] = any_of([parent[key], copy.deepcopy(entry["branch"])])
        else:
            for name in entry["drop"]:  # a wrong name must not pass silently
                parent[key].remove(name) if isinstance(parent[key], list) else parent[key].pop(name)
        # What was tightened after a live refusal says so itself.
        if entry["kind"] == "tighten" and isinstance(parent[key], dict) and "type" in parent[key]:
            parent[key]["x-strength"] = entry["strength"]


def find(schema, pointer, entry):
    """Parent and last key of a JSON pointer; a $ref on the way is followed."""
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
    """Drops unused definitions, marks tagged unions, checks that only the subset is used."""
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
        extra = set(node) - set(KEYWORDS) - ({"$defs", "x-rules"} if node is schema else set())
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
        yield from schema_nodes([n for n in (node.get("items"), node.get("additionalProperties")) if isinstance(n, dict)])


def discriminator(branches, defs):
    """The property (or two, in this order) by which the object branches can be told apart."""
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
            schema = {**copy.deepcopy(bases[endpoint]), "x-strength": "observed", "x-rules": []}
            mine = [e for e in entries if endpoint in e["endpoints"] and surface in e.get("surfaces", SURFACES)]
            for entry in mine:
                apply(schema, entry)
            finish(schema)
            files[f"{surface}/{endpoint}.json"] = {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$id": f"fallproof:{surface}/{endpoint}",
                "x-provenance": {**SDK, "type": type_path, "overlay": [e["id"] for e in mine]},
                **schema,
            }
    return files


def changes(old, new, at=""):
    """What differs, as lines with JSON pointers."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            here = f"{at}/{key}"
            if key not in new:
                yield f"  removed {here}"
            elif key not in old:
                yield f"  added   {here}"
            else:
                yield from changes(old[key], new[key], here)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, pair in enumerate(zip(old, new)):
            yield from changes(*pair, f"{at}/{index}")
    elif old != new:
        yield f"  changed {at}: {json.dumps(old)[:80]} -> {json.dumps(new)[:80]}"


# ---- recorded requests ----------------------------------------------------------------------------


def broken_rules(rules, body):
    """The ids of the x-rules that would refuse this request. The Rust checker does the same."""
    for rule in rules:
        for place, value in values_at(body, rule["param"]):
            if rule["kind"] == "requires":
                bad = any(body.get(k) != v for k, v in rule.get("requires", {}).items())
                bad |= any(body.get(k) is None for k in rule.get("requires_present", []))
            else:
                model = body.get("model") or ""
                bad = any(model.startswith(m) for m in rule["models"])
                bad &= not any(model.startswith(m) for m in rule.get("except", []))
                bad &= all(body.get(k) not in vs for k, vs in rule.get("unless", {}).items())
                if "allowed" in rule or "refused" in rule:
                    bad &= value in rule["refused"] if "refused" in rule else value not in rule["allowed"]
            if bad:
                yield f"{rule['id']} at {place}"


def values_at(body, param):
    """(path, value) of every non-null value that a rule's param names; `a[].b` looks into each item."""
    name, _, rest = param.partition("[].")
    value = body.get(name) if isinstance(body, dict) else None
    if rest:
        for i, item in enumerate(value if isinstance(value, list) else []):
            for place, inner in values_at(item, rest):
                yield f"{name}[{i}].{place}", inner
    elif value is not None:
        yield name, value


def try_accepted(files, path):
    """Counts the recorded requests that the openai schemas or rules would refuse, and prints why."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import relevance

    tried = refused = 0
    for line in Path(path).read_text().splitlines():
        record = json.loads(line)
        endpoint = PATHS.get(record["endpoint"])
        if endpoint is None:
            continue
        schema = files[f"openai/{endpoint}.json"]
        errors = sorted(Draft202012Validator(schema).iter_errors(record["body"]), key=relevance)
        errors = [deepest(e, schema.get("$defs", {})) for e in errors]
        reasons = [f"{e.json_path}: {e.message[:160]}" for e in errors]
        reasons += list(broken_rules(schema["x-rules"], record["body"]))
        tried, refused = tried + 1, refused + bool(reasons)
        if reasons:
            print(f"refused: {record['endpoint']}  {record['source']}", *reasons, sep="\n    ")
    print(f"{tried} accepted requests tried, {refused} refused")
    return refused == 0


def deepest(error, defs):
    """The most telling error below a union: in the branch that its tags choose, deepest in the body."""
    if not error.context:
        return error
    chosen = narrow(error.schema, defs, error.instance)
    inner = [deepest(e, defs) for e in error.context if e.schema_path[0] in chosen]
    return max(inner, key=lambda e: len(e.absolute_path), default=error)


def narrow(union, defs, value):
    """The branches of a union that its x-discriminator leaves for this value, as indexes."""
    left = list(range(len(union["anyOf"])))
    tags = union.get("x-discriminator", [])
    for tag in [tags] if isinstance(tags, str) else tags:
        branches = {i: deref(union["anyOf"][i], defs) for i in left}
        if not isinstance(value, dict):
            return left
        objects = [i for i in left if branches[i].get("type") == "object"]
        if tag in value:
            knows = {i: branches[i]["properties"].get(tag, {}).get("enum") for i in objects}
            left = [i for i in objects if value[tag] in (knows[i] or [])] or [i for i in objects if not knows[i]]
        else:
            left = [i for i in objects if tag not in branches[i].get("required", [])]
    return left


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if something would change")
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
