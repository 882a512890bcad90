"""Runs `fallproof serve` and creates SDK clients for its three surfaces."""

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any

import httpx2
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

BINARY = os.environ.get("FALLPROOF", "fallproof")
SURFACES = ("openai", "azure-v1", "azure-legacy")
# No retries and a short timeout, so that failures show at once.
HASTY = {"max_retries": 0, "timeout": 10.0}


@dataclass(frozen=True)
class RecordedRequest:
    """A request that reached a mock, from its request log."""

    method: str
    target: str
    headers: dict[str, str]
    body: str
    status: int | None
    kind: str
    refused: bool
    violation: dict[str, Any] | None
    client_gone: bool

    @staticmethod
    def of(entry: dict[str, Any]) -> "RecordedRequest":
        headers = {name.lower(): value for name, value in entry["headers"]}
        return RecordedRequest(**{**{name: entry.get(name) for name in RecordedRequest.__annotations__}, "headers": headers})

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Serve:
    """A running `fallproof serve`. It accepts every model name by default."""

    def __init__(self, *models: str):
        ports = [argument for server in ("openai", "azure", "admin") for argument in (f"--{server}", "0")]
        names = [argument for model in models for argument in ("--model", model)]
        self.process = subprocess.Popen(
            [BINARY, "serve", "--json", *ports, *names], stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        if not line:
            self.process.communicate()
            raise RuntimeError(
                f"{BINARY} serve ended with {self.process.returncode} and printed no addresses"
            )
        self.addresses = json.loads(line)
        self.admin = httpx2.Client(base_url=self.addresses["admin"], trust_env=False)

    def stop(self) -> int:
        """Stops it and returns its exit code."""
        self.admin.close()
        self.process.terminate()
        self.process.stdout.close()
        return self.process.wait(timeout=10)

    def play(self, surface: str, *script: Any, repeat_last: bool = False) -> None:
        """Sets the behavior of this surface's provider at its next attempts."""
        body = {"script": list(script), "repeat_last": repeat_last}
        answer = self.admin.put(f"/script/{surface.split('-')[0]}", json=body)
        assert answer.is_success, answer.text

    def requests(self) -> list[RecordedRequest]:
        return [RecordedRequest.of(entry) for entry in self.admin.get("/requests").raise_for_status().json()]

    def last(self) -> RecordedRequest:
        return self.requests()[-1]

    def reset(self) -> None:
        self.admin.post("/reset").raise_for_status()

    def client(self, surface: str, **options: Any) -> OpenAI:
        """Returns an SDK client for a surface."""
        kind = AzureOpenAI if surface == "azure-legacy" else OpenAI
        return kind(**self.where(surface), **{**HASTY, **options})

    def async_client(self, surface: str, **options: Any) -> AsyncOpenAI:
        kind = AsyncAzureOpenAI if surface == "azure-legacy" else AsyncOpenAI
        return kind(**self.where(surface), **{**HASTY, **options})

    def where(self, surface: str) -> dict[str, str]:
        """Returns address and credential as SDK options."""
        openai, azure = self.addresses["openai"], self.addresses["azure"]
        return {
            "openai": {"base_url": openai["base_url"], "api_key": openai["key"]},
            "azure-v1": {"base_url": azure["base_url"], "api_key": azure["key"]},
            "azure-legacy": {
                "azure_endpoint": azure["endpoint"],
                "api_version": azure["api_version"],
                "api_key": azure["key"],
            },
        }[surface]
