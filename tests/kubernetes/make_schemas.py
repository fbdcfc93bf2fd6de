"""Makes fixtures/schemas.json: what Kubernetes and LeaderWorkerSet say that their objects hold, as JSON schemas.

    pip install kubernetes-validate==1.37.0
    go mod download -json sigs.k8s.io/lws@v0.7.0        # its Dir holds config/crd/bases
    npm run python -- tests/kubernetes/make_schemas.py CRD_FILE

Kubernetes' part comes from the OpenAPI document of its API server, as kubernetes-validate carries it; LeaderWorkerSet's
from its CustomResourceDefinition, whose pod templates are Kubernetes' own. Descriptions are left out, and every object
whose properties are listed refuses others, so that a misspelt field is found.
"""

import json
import sys
from pathlib import Path

import kubernetes_validate
import yaml

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None

_VERSION = "1.33.0"
_KINDS = {
    "Service": "io.k8s.api.core.v1.Service",
    "StatefulSet": "io.k8s.api.apps.v1.StatefulSet",
    "Job": "io.k8s.api.batch.v1.Job",
    "PodTemplateSpec": "io.k8s.api.core.v1.PodTemplateSpec",
    "ObjectMeta": "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
}
_PREFIX = "#/definitions/"


def main() -> None:
    """Writes the schemas."""
    folder = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / f"v{_VERSION}-local"
    known = json.loads((folder / "_definitions.json").read_text())["$defs"]
    definitions: dict[str, Json] = {}
    for name in _KINDS.values():
        _gather(name, known, definitions)
    definitions["LeaderWorkerSet"] = _closed(_leader_worker_set(Path(sys.argv[1])))
    schemas = {kind: {"$ref": _PREFIX + name} for kind, name in _KINDS.items()}
    schemas["LeaderWorkerSet"] = {"$ref": f"{_PREFIX}LeaderWorkerSet"}
    made = {"kinds": schemas, "definitions": dict(sorted(definitions.items()))}
    out = Path(__file__).parent / "fixtures/schemas.json"
    out.write_text(json.dumps(made, separators=(",", ":")).replace('},"io.k8s', '},\n"io.k8s') + "\n")


def _gather(name: str, known: dict[str, Json], into: dict[str, Json]) -> None:
    """Adds a definition, and those that it refers to."""
    if name in into:
        return
    into[name] = _closed(known[name])
    for line in json.dumps(into[name]).split(f'"$ref": "{_PREFIX}')[1:]:
        _gather(line.split('"', 1)[0], known, into)


def _closed(schema: Json, names_are_keys: bool = False) -> Json:
    """Leaves out descriptions and what only Kubernetes reads; refuses properties that are not listed."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if names_are_keys:
        return {key: _closed(value) for key, value in schema.items()}
    kept: dict[str, Json] = {}
    for key, value in schema.items():
        if key in ("description", "default") or key.startswith(("x-kubernetes", "$schema")):
            continue
        if key == "$ref" and isinstance(value, str):
            kept[key] = _PREFIX + value.rsplit("/", 1)[-1]
        else:
            kept[key] = _closed(value, names_are_keys=key in ("properties", "definitions"))
    if "properties" in kept and "additionalProperties" not in kept:
        kept["additionalProperties"] = False
    return kept


def _leader_worker_set(file: Path) -> Json:
    definition = yaml.safe_load(file.read_text())
    (version,) = [each for each in definition["spec"]["versions"] if each["name"] == "v1"]
    schema = version["schema"]["openAPIV3Schema"]
    template = schema["properties"]["spec"]["properties"]["leaderWorkerTemplate"]["properties"]
    for name in ("leaderTemplate", "workerTemplate"):
        template[name] = {"$ref": _PREFIX + _KINDS["PodTemplateSpec"]}
    schema["properties"]["metadata"] = {"$ref": _PREFIX + _KINDS["ObjectMeta"]}
    schema["required"] = ["apiVersion", "kind", "metadata", "spec"]
    return schema


if __name__ == "__main__":
    main()
