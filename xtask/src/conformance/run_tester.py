"""Runs scim2-tester against SCIM_URL with the bearer token SCIM_TOKEN and prints what came of each check, as JSON."""

import json
import os
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server

REASON_CHARACTERS = 2_000


def told(result):
    name = result.title or "unnamed"
    return {
        "name": f"{result.resource_type}: {name}" if result.resource_type else name,
        "status": result.status.name.lower(),
        "message": (result.reason or "")[:REASON_CHARACTERS],
    }


client = Client(
    base_url=os.environ["SCIM_URL"],
    headers={"Authorization": f"Bearer {os.environ['SCIM_TOKEN']}"},
    timeout=30,
)
json.dump({"results": [told(result) for result in check_server(SyncSCIMClient(client))]}, sys.stdout)
