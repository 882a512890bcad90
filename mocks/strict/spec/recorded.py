"""Validates recorded requests against the generated schemas and x-rules (generate.py --accepted).

The functions for x-rules and x-discriminator mirror the Rust implementation.
"""

import json
from pathlib import Path


def try_accepted(files, path):
    """Prints each recorded request that the openai schemas or rules refuse, and why. True if there is none."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import relevance

    tried = refused = 0
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        schema = files.get(f"openai/{record['endpoint'].strip('/').replace('/', '.')}.json")
        if schema is None:
            continue
        errors = sorted(Draft202012Validator(schema).iter_errors(record["body"]), key=relevance)
        errors = [deepest(e, schema.get("$defs", {})) for e in errors]
        reasons = [f"{e.json_path}: {e.message[:160]}" for e in errors]
        reasons += broken_rules(schema["x-rules"], record["body"])
        tried, refused = tried + 1, refused + bool(reasons)
        if reasons:
            print(f"refused: {record['endpoint']}  {record['source']}", *reasons, sep="\n    ")
    print(f"{tried} accepted requests tried, {refused} refused")
    return refused == 0


def deref(node, defs):
    return deref(defs[node["$ref"].removeprefix("#/$defs/")], defs) if "$ref" in node else node


def deepest(error, defs):
    """The most specific error within an error of a union: the deepest one in the branches that the tags select."""
    if not error.context:
        return error
    chosen = narrow(error.schema, defs, error.instance)
    inner = [deepest(e, defs) for e in error.context if e.schema_path[0] in chosen]
    return max(inner, key=lambda e: len(e.absolute_path), default=error)


def narrow(union, defs, value):
    """Indexes of the branches that a union's x-discriminator selects for this value.

    No branch is selected if every branch requires a missing tag, or if no branch lists the tag's value.
    """
    branches = [deref(b, defs) for b in union["anyOf"]]
    tags = union.get("x-discriminator", [])
    if not isinstance(value, dict) or not tags:
        return list(range(len(branches)))
    left = [i for i, b in enumerate(branches) if b.get("type") == "object"]
    for tag in [tags] if isinstance(tags, str) else tags:
        if tag in value:
            left = [i for i in left if value[tag] in branches[i]["properties"].get(tag, {}).get("enum", [])]
        else:
            left = [i for i in left if tag not in branches[i].get("required", [])]
        if len(left) < 2:
            break
    return left


def broken_rules(rules, body):
    """The ids of the x-rules that refuse this request, each with the path of the value."""
    for rule in rules:
        for place, value in values_at(body, rule["param"]):
            if rule["kind"] == "moved":
                bad = True
            elif rule["kind"] == "requires":
                bad = any(body.get(k) != v for k, v in rule.get("requires", {}).items())
                bad |= any(body.get(k) is None for k in rule.get("requires_present", []))
            else:
                model = body.get("model") or ""
                bad = model.startswith(tuple(rule["models"])) and not model.startswith(tuple(rule.get("except", [])))
                if "allowed" in rule:
                    bad &= value not in rule["allowed"]
                if "refused" in rule:
                    bad &= value in rule["refused"]
            if bad:
                yield f"{rule['id']} at {place}"


def values_at(body, param):
    """All values of a rule's param that are not null, each with its path; `a[].b` visits each item in `a`."""
    name, _, rest = param.partition("[].")
    value = body.get(name) if isinstance(body, dict) else None
    if rest:
        for i, item in enumerate(value if isinstance(value, list) else []):
            for place, inner in values_at(item, rest):
                yield f"{name}[{i}].{place}", inner
    elif value is not None:
        yield name, value
