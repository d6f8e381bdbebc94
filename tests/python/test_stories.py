"""The stories that are the same in every language, run by both clients over the emulator's TLS server."""

import asyncio
import json
import os
import pathlib
import re

import pytest
from aks_acr_emulator import Emulator
from conftest import awaiting, blocking

import aks_acr

# A wheel is tried away from the sources: then the folder is named.
FOLDER = pathlib.Path(os.environ.get("AKS_ACR_CONTRACT", pathlib.Path(__file__).parents[1] / "contract"))
STORIES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("stories/*.json"))}
FACTS = ("kind", "status", "code", "refusal", "missing_action", "scope", "smallest_role", "failed_side", "is_transient", "created")


def canonical(result):
    """A result in the form of the stories."""
    if isinstance(result, aks_acr.Kubeconfig):
        return {"context": result.context, "server": result.server}
    if isinstance(result, aks_acr.RegistryToken):
        return {"login_server": result.login_server, "username": result.username, "expires": result.expires}
    if isinstance(result, list):
        return [canonical(one) for one in result]
    # Each image of a list has its own result.
    if isinstance(result, aks_acr.AksAcrError):
        return {"error": facts(result)}
    return None if result is None else json.loads(result.to_json())


def facts(error):
    """An error's facts, in the form of the stories."""
    if isinstance(error, asyncio.CancelledError):
        return {"kind": "cancelled", "is_transient": False}
    found = {name: getattr(error, name) for name in FACTS}
    found["pull_failure"] = error.pull_failure and canonical(error.pull_failure)
    return {name: fact for name, fact in found.items() if fact is not None}


def is_like(wanted, got):
    """Equal, except for what is masked by `<any>`: a whole value."""
    if wanted == "<any>":
        return got is not None
    if isinstance(wanted, dict) and isinstance(got, dict):
        return wanted.keys() == got.keys() and all(is_like(wanted[name], got[name]) for name in wanted)
    if isinstance(wanted, list) and isinstance(got, list):
        return len(wanted) == len(got) and all(map(is_like, wanted, got))
    return wanted == got


def check_requests(wanted, got):
    """The same requests, whatever their order. In a line, `<any>` stands for a part."""
    left = list(got)
    for line in wanted:
        pattern = re.compile(".*".join(map(re.escape, line.split("<any>"))))
        found = next((one for one in left if pattern.fullmatch(one)), None)
        assert found, f"no request {line}; there were\n" + "\n".join(got)
        left.remove(found)
    # One that was given up is seen a little later, in the next step perhaps, or never.
    assert [one for one in left if not one.endswith(" -")] == [], "requests that nobody wanted"


class Teller:
    """One client, and what a step comes to with it."""

    # A blocking call that has not begun cannot be cancelled.
    cancels_before = False

    def __init__(self, azure, caller):
        self.azure = azure
        self.client = blocking(azure, azure.credential(caller))

    def make(self, step, args):
        """The result or the error, and the events."""
        events = []
        try:
            if step.get("follow") or step.get("cancel"):
                run = getattr(self.client.follow, step["call"])(**args)
                for event in run:
                    events.append(event)
                    if step.get("cancel"):
                        run.cancel()
                return run.result(), events
            return getattr(self.client, step["call"])(**args, on_progress=events.append), events
        except aks_acr.AksAcrError as error:
            return error, events

    def close(self):
        self.client.close()


class AwaitingTeller:
    """The same with coroutines."""

    cancels_before = True

    def __init__(self, azure, caller):
        self.loop = asyncio.new_event_loop()
        self.client = awaiting(azure, azure.async_credential(caller))

    def make(self, step, args):
        return self.loop.run_until_complete(self._make(step, args))

    async def _make(self, step, args):
        events = []
        try:
            if step.get("follow"):
                run = getattr(self.client.follow, step["call"])(**args)
                async for event in run:
                    events.append(event)
                return await run, events
            call = getattr(self.client, step["call"])(**args, on_progress=events.append)
            task = asyncio.create_task(call)
            if step.get("cancel") == "before":
                task.cancel()
            while step.get("cancel") == "on_event" and not events and not task.done():
                await asyncio.sleep(0.001)
            if step.get("cancel"):
                task.cancel()
            return await task, events
        except (aks_acr.AksAcrError, asyncio.CancelledError) as error:
            return error, events

    def close(self):
        self.loop.run_until_complete(self.client.close())
        self.loop.close()


def found_in(value):
    """The IDs of all findings in a result."""
    if isinstance(value, dict):
        own = [value["id"]] if "next_step" in value and "id" in value else []
        return own + [one for part in value.values() for one in found_in(part)]
    return [one for part in value for one in found_in(part)] if isinstance(value, list) else []


def check(step, outcome, events, requests):
    if "fails" in step:
        assert isinstance(outcome, BaseException), f"gave {outcome}"
        got = facts(outcome)
        assert is_like(step["fails"], {name: fact for name, fact in got.items() if name in step["fails"]}), got
        for part in step.get("says", []):
            assert part in str(outcome), str(outcome)
    else:
        assert not isinstance(outcome, BaseException), outcome
    for found in step.get("finds", []):
        assert found in found_in(canonical(outcome)), str(outcome)
    if "gives" in step:
        got = canonical(outcome)
        if step["call"] == "import_images":
            got = [one if "error" in one else {"import": one} for one in got]
        assert is_like(step["gives"], got), got
    if "events" in step:
        assert is_like(step["events"], list(map(canonical, events))), list(map(str, events))
    if "requests" in step:
        check_requests(step["requests"], requests)


def steps_of(story, teller, folder):
    """Runs a story: its steps, each with its outcome, its events and its requests."""
    with Emulator(scene=story.get("scene") or {}) as azure:
        azure.timing(story.get("timing", "none"))
        azure.clock(story.get("clock", 1))
        for fault in story.get("faults", []):
            fault = {re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key): fault[key] for key in fault}
            azure.fault(**fault)
        for order in story.get("orders", []):
            order = {re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key): order[key] for key in order}
            if "seconds" in order:
                order["time"] = order.pop("seconds")
            getattr(azure, order.pop("order"))(**order)
        tell = teller(azure, story.get("caller", "owner"))
        kept = {}
        for step in story["steps"]:
            if step.get("cancel") == "before" and not tell.cancels_before:
                continue
            args = {
                name: kept.get(value, value.replace("<folder>", str(folder))) if isinstance(value, str) else value
                for name, value in step["args"].items()
            }
            mark = azure.mark()
            outcome, events = tell.make(step, args)
            requests = [
                f"{one.method} {one.host}{one.path}{'?' * bool(one.query)}{one.query} {one.status or '-'}"
                for one in azure.requests(since=mark)
                if one.sender == "client" and one.service != "entra"
            ]
            yield step, outcome, events, requests
            if "keep" in step:
                # Stored and read back, as a plan would be.
                kept[f"${step['keep']}"] = type(outcome).from_json(outcome.to_json())
        tell.close()


@pytest.mark.parametrize("teller", [Teller, AwaitingTeller], ids=["blocking", "aio"])
@pytest.mark.parametrize("name", STORIES)
def test_story(name, teller, tmp_path):
    for step, outcome, events, requests in steps_of(STORIES[name], teller, tmp_path):
        check(step, outcome, events, requests)


def test_every_story_is_there():
    assert len(STORIES) > 10
