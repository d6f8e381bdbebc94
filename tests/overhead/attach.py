"""The Python side of the comparison: prints how long each attach took, in milliseconds, as JSON."""

import asyncio
import collections
import json
import os
import sys
import time

import aks_acr
import aks_acr.aio

Token = collections.namedtuple("Token", "token expires_on")


class Known:
    def get_token(self, *scopes, **options):
        return Token(os.environ["OVERHEAD_TOKEN"], int(time.time()) + 3600)


WHERE = ("group/dev", os.environ["OVERHEAD_REGISTRY"])
CALLS = range(int(os.environ["OVERHEAD_CALLS"]))
OPTIONS = {
    "cloud": {"resource_manager": os.environ["OVERHEAD_ORIGIN"], "registry_suffix": ".azurecr.io"},
    "ca": os.environ["OVERHEAD_CA"],
}


def blocking():
    with aks_acr.Client(Known(), os.environ["OVERHEAD_SUBSCRIPTION"], **OPTIONS) as client:
        for _ in CALLS:
            begun = time.perf_counter()
            client.attach(*WHERE)
            yield time.perf_counter() - begun


async def awaited():
    async with aks_acr.aio.Client(Known(), os.environ["OVERHEAD_SUBSCRIPTION"], **OPTIONS) as client:
        times = []
        for _ in CALLS:
            begun = time.perf_counter()
            await client.attach(*WHERE)
            times.append(time.perf_counter() - begun)
        return times


taken = list(blocking()) if sys.argv[1] == "blocking" else asyncio.run(awaited())
print(json.dumps([one * 1000 for one in taken]))
