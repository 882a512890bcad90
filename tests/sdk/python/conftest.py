"""Fixtures for all tests: mocks in their initial state, and SDK clients for them."""

import os
from contextlib import contextmanager

import pytest

from serve import SURFACES, Serve

# The SDK also reads settings from the environment. The user's settings must not apply here.
for name in [name for name in os.environ if name.startswith(("OPENAI_", "AZURE_OPENAI_"))]:
    del os.environ[name]
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


@contextmanager
def running(*models):
    serve = Serve(*models)
    yield serve
    assert serve.stop() == 0


@contextmanager
def each_client(serve, **options):
    """Creates a client for each surface, once: creating one takes longer than its calls."""
    clients = {surface: serve.client(surface, **options) for surface in SURFACES}
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture(scope="session")
def served():
    with running() as serve:
        yield serve


@pytest.fixture(scope="session")
def clients(served):
    with each_client(served) as clients:
        yield clients


@pytest.fixture(scope="session")
def strict_clients(served):
    """Clients that raise if a response does not have the type that the SDK documents."""
    with each_client(served, _strict_response_validation=True) as clients:
        yield clients


@pytest.fixture(scope="session")
def narrow_clients():
    with running("gpt-4.1") as serve, each_client(serve) as clients:
        yield clients


@pytest.fixture
def mocks(served):
    served.reset()
    return served


@pytest.fixture(params=SURFACES)
def surface(request):
    """Each surface in turn, unless the test lists its surfaces."""
    return request.param


@pytest.fixture
def client(mocks, clients, surface):
    return clients[surface]


@pytest.fixture
def strict_client(mocks, strict_clients, surface):
    return strict_clients[surface]


@pytest.fixture
def narrow_client(narrow_clients, surface):
    """A client of mocks that have only the model gpt-4.1."""
    return narrow_clients[surface]


@pytest.fixture
def anyio_backend():
    return "asyncio"
