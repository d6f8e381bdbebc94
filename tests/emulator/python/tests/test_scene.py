"""What an emulator starts with."""

from typing import Any

import pytest
from aks_acr_emulator import Emulator, Scene
from wire import Wire


def test_a_scene_is_there_at_the_start() -> None:
    scene: Scene = {
        "owner": {"secret": "open"},
        "groups": [{"name": "empty", "location": "northeurope"}],
        "registries": [{"group": "group", "name": "myregistry", "sku": "Premium", "abac": True}],
        "clusters": [{"group": "group", "name": "dev", "nodes": [{"name": "aks-arm-0", "architecture": "arm64"}]}],
        "images": [{"name": "myregistry.azurecr.io/app:1", "platforms": ["linux/arm64"]}],
        "callers": [{"name": "reader", "secret": "hush", "roles": [{"role": "Reader"}]}],
    }
    with Emulator(scene) as azure:
        assert azure.client_secret == "open"
        assert azure.client_of("reader") == (azure.client_of("reader")[0], "hush")
        assert azure.kubelet_object_id("group", "dev")
        assert azure.digest("myregistry.azurecr.io/app:1") is not None
        assert azure.digest("docker.io/library/nginx:latest") is None
        assert Wire(azure, "reader").groups() == 200
        (registry,) = azure.state()["registries"]
        assert (registry["sku"], registry["roleAssignmentMode"]) == ("Premium", "AbacRepositoryPermissions")


def test_without_a_scene_there_are_images_to_bring_in() -> None:
    with Emulator() as azure:
        assert azure.digest("docker.io/library/nginx:latest") is not None
        assert azure.state()["registries"] == []


def test_a_registry_outside_lets_in_whom_the_scene_names() -> None:
    scene: Scene = {
        "upstreams": [{"host": "ghcr.io", "users": [{"name": "robot", "password": "word"}], "challenge": "both"}],
        "images": [{"name": "ghcr.io/team/app:1"}],
    }
    with Emulator(scene) as azure:
        assert azure.digest("ghcr.io/team/app:1") is not None
        assert list(azure.state()["upstreams"]) == ["ghcr.io"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"scene": {"registrys": []}}, "scene.registrys: unknown field `registrys`"),
        ({"scene": {"registries": [{"group": "g", "name": "n", "skew": "x"}]}}, r"scene.registries\[0\].skew"),
        ({"scene": {"clusters": [{"name": "dev"}]}}, "missing field `group`"),
        ({"scene": {"registries": "myregistry"}}, "scene.registries: invalid type"),
        ({"callers": [{"name": "ci", "roles": [{"role": "Sorcerer"}]}]}, "role Sorcerer does not exist"),
        ({"callers": [{"name": "ci"}, {"name": "ci"}]}, "two callers are named ci"),
        ({"scene": {"upstreams": [{"host": "ghcr.io", "challenge": "riddle"}]}}, "challenge of ghcr.io"),
        ({"timing": "slow"}, "slow"),
        ({"clock": 0}, "1 to 100000"),
        ({"latency_ms": -5}, "-0.005 seconds"),
    ],
)
def test_what_is_not_understood_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Emulator(**options).start()


def test_what_is_no_json_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        Emulator(scene={"registries": [object()]})
    with pytest.raises(TypeError, match="speed"):
        Emulator(speed=3)  # type: ignore[call-arg]
