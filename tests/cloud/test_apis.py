"""What clients lean on: versions, pages, filters, roles, request ids, Placement's reads."""

from urllib.parse import urlsplit

import pytest

from .cloud_client import Answer, Cloud, Nova, call, until


def placement(cloud: Cloud, nova: Nova, path: str) -> Answer:
    headers = {"X-Auth-Token": nova.token, "OpenStack-API-Version": "placement 1.39"}
    return call("GET", f"{cloud.url}/placement{path}", headers=headers)


class TestMicroversions:
    @pytest.mark.parametrize(
        ("asked", "counts"), [("2.53", "2.53"), ("latest", "2.95"), ("2.1", "2.1")]
    )
    def test_the_one_that_counts_is_said(self, cloud: Cloud, asked: str, counts: str) -> None:
        answer = cloud.login()("GET", "/os-services", version=asked)

        assert answer.headers["openstack-api-version"] == f"compute {counts}"
        assert answer.headers["x-openstack-nova-api-version"] == counts

    def test_one_that_is_too_new_is_not_acceptable(self, cloud: Cloud) -> None:
        answer = cloud.login()("GET", "/os-services", version="2.999")

        assert answer.status == 406
        assert "Minimum is 2.1 and maximum is 2.95." in answer.body["computeFault"]["message"]

    def test_the_version_document_needs_no_token(self, cloud: Cloud) -> None:
        shown = call("GET", f"{cloud.served.compute_url}/compute/v2.1/").body["version"]

        assert (shown["min_version"], shown["version"]) == ("2.1", "2.95")

    def test_services_have_numbers_before_2_53_and_uuids_from_then_on(self, cloud: Cloud) -> None:
        nova = cloud.login()

        old = nova("GET", "/os-services", version="2.52").body["services"]
        new = nova("GET", "/os-services", version="2.53").body["services"]

        assert all(isinstance(each["id"], int) for each in old)
        assert all(len(each["id"]) == 36 for each in new)

    def test_the_old_verbs_change_services_before_2_53(self, cloud: Cloud) -> None:
        nova = cloud.login()
        body = {"host": "c1", "binary": "nova-compute", "forced_down": True}

        answer = nova("PUT", "/os-services/force-down", body, "2.52")

        assert answer.status == 200
        assert nova.service("c1")["forced_down"] is True

    def test_a_flavor_is_shown_whole_from_2_47(self, cloud: Cloud) -> None:
        nova = cloud.login()
        [server, *_] = nova.servers()

        old = nova("GET", f"/servers/{server['id']}", version="2.46").body["server"]

        assert set(old["flavor"]) == {"id", "links"}
        assert server["flavor"]["original_name"] == "small"


class TestPages:
    def test_lead_through_all_servers_once(self, cloud: Cloud) -> None:
        nova = cloud.login()
        found: list[str] = []
        path = "/servers/detail?all_tenants=1&limit=4"
        for _ in range(3):
            body = nova("GET", path).body
            found += [each["id"] for each in body["servers"]]
            if "servers_links" not in body:
                break
            href: str = body["servers_links"][0]["href"]
            parts = urlsplit(href)
            path = f"{parts.path.removeprefix('/compute/v2.1')}?{parts.query}"

        assert sorted(found) == sorted(each["id"] for each in nova.servers())

    def test_an_unknown_marker_is_refused(self, cloud: Cloud) -> None:
        answer = cloud.login()("GET", "/servers?all_tenants=1&marker=nobody")

        assert (answer.status, answer.body["badRequest"]["message"]) == (
            400,
            "marker [nobody] not found",
        )

    def test_migrations_have_them_from_2_59(self, cloud: Cloud) -> None:
        nova = cloud.login()
        cloud.drive("c1", "off")
        nova.set_service("c1", forced_down=True)
        for server in nova.servers("c1"):
            assert nova.act(server["id"], "evacuate", {}).status == 200

        old = nova("GET", "/os-migrations?limit=1", version="2.58").body
        new = nova("GET", "/os-migrations?limit=1", version="2.59").body

        assert len(old["migrations"]) == 2
        assert len(new["migrations"]) == 1
        assert "migrations_links" in new


class TestFilters:
    def test_an_admin_sees_only_his_own_project_unless_he_asks_for_all(self, cloud: Cloud) -> None:
        nova = cloud.login()

        assert nova("GET", "/servers").body["servers"] == []
        assert len(nova("GET", "/servers?all_tenants=1").body["servers"]) == 6

    def test_what_changed_since_has_the_deleted_too(self, cloud: Cloud) -> None:
        nova = cloud.login()
        [server, *_] = nova.servers("c1")
        nova("DELETE", f"/servers/{server['id']}")
        until(lambda: len(nova.servers()) == 5)
        since = server["updated"]

        found = nova("GET", f"/servers/detail?all_tenants=1&changes-since={since}").body["servers"]

        deleted = [each["id"] for each in found if each["status"] == "DELETED"]
        assert deleted == [server["id"]]


class TestWhoMayWhat:
    def test_a_wrong_password_gets_no_token(self, cloud: Cloud) -> None:
        user = {"name": "admin", "password": "guess", "domain": {"id": "default"}}
        identity = {"methods": ["password"], "password": {"user": user}}

        answer = call("POST", f"{cloud.auth_url}/auth/tokens", {"auth": {"identity": identity}})

        assert answer.status == 401

    def test_a_token_that_was_revoked_counts_no_more(self, cloud: Cloud) -> None:
        nova = cloud.login()
        cloud.control("POST", "/tokens/revoke")

        answer = nova("GET", "/servers")

        assert answer.status == 401
        assert "www-authenticate" in answer.headers

    def test_a_user_may_not_look_at_services(self, cloud: Cloud) -> None:
        assert cloud.login("demo")("GET", "/os-services").status == 403

    def test_a_user_sees_his_servers_and_no_hosts(self, cloud: Cloud) -> None:
        nova = cloud.login("demo")

        [server, *_] = nova("GET", "/servers/detail").body["servers"]

        assert "OS-EXT-SRV-ATTR:host" not in server

    def test_a_user_may_not_evacuate(self, cloud: Cloud) -> None:
        nova = cloud.login("demo")
        [server, *_] = nova("GET", "/servers").body["servers"]

        assert nova.act(server["id"], "evacuate", {}).status == 403


class TestRequestIds:
    def test_an_action_is_found_under_the_id_that_its_answer_carried(self, cloud: Cloud) -> None:
        nova = cloud.login()
        [server, *_] = nova.servers("c1")

        answer = nova.act(server["id"], "os-stop", None)

        path = f"/servers/{server['id']}/os-instance-actions"
        request = answer.headers["x-openstack-request-id"]
        shown = nova("GET", f"{path}/{request}").body["instanceAction"]
        assert shown["action"] == "stop"
        assert [each["action"] for each in nova("GET", path).body["instanceActions"]] == ["stop"]

    def test_an_evacuation_without_a_host_ends_as_an_error_event(self, cloud: Cloud) -> None:
        nova = cloud.login()
        [server, *_] = nova.servers("c1")
        for host in ("c2", "c3"):
            nova.set_service(host, status="disabled")
        cloud.drive("c1", "off")
        nova.set_service("c1", forced_down=True)
        answer = nova.act(server["id"], "evacuate", {})
        until(lambda: nova.server(server["id"])["status"] == "ERROR")

        request = answer.headers["x-openstack-request-id"]
        path = f"/servers/{server['id']}/os-instance-actions/{request}"
        [event] = nova("GET", path).body["instanceAction"]["events"]
        assert (event["event"], event["result"]) == ("compute_rebuild_instance", "Error")


class TestPlacement:
    def test_dead_hosts_are_candidates_all_the_same(self, cloud: Cloud) -> None:
        """Placement knows of no service: who names a target has to look at both."""
        nova = cloud.login()
        cloud.drive("c1", "off")
        nova.set_service("c1", forced_down=True, status="disabled")

        path = "/allocation_candidates?resources=VCPU:1&required=!COMPUTE_STATUS_DISABLED"
        found = placement(cloud, nova, path).body["provider_summaries"]

        assert len(found) == 3

    def test_a_living_host_that_is_disabled_is_none(self, cloud: Cloud) -> None:
        nova = cloud.login()
        nova.set_service("c2", status="disabled")

        path = "/allocation_candidates?resources=VCPU:1&required=!COMPUTE_STATUS_DISABLED"
        found = placement(cloud, nova, path).body["provider_summaries"]

        assert len(found) == 2

    def test_a_full_host_is_none(self, cloud: Cloud) -> None:
        nova = cloud.login()
        cloud.drive("c3", "room", vcpus=2, ram_mb=100_000)

        found = placement(cloud, nova, "/allocation_candidates?resources=VCPU:1").body

        assert len(found["allocation_requests"]) == 2

    def test_providers_are_the_hypervisors(self, cloud: Cloud) -> None:
        nova = cloud.login()

        providers = placement(cloud, nova, "/resource_providers").body["resource_providers"]
        hypervisors = nova("GET", "/os-hypervisors").body["hypervisors"]

        assert {each["uuid"] for each in providers} == {each["id"] for each in hypervisors}
        usages = placement(cloud, nova, f"/resource_providers/{providers[0]['uuid']}/usages").body
        assert usages["usages"]["VCPU"] == 2


class TestPlaces:
    def test_zones_and_aggregates_are_those_of_the_plan(self, cloud: Cloud) -> None:
        cloud.reset(zones={"c2": "east"}, aggregates={"ssd": ["c1", "c2"]})
        nova = cloud.login()

        zones = nova("GET", "/os-availability-zone/detail").body["availabilityZoneInfo"]
        aggregates = nova("GET", "/os-aggregates").body["aggregates"]

        assert {each["zoneName"]: sorted(each["hosts"]) for each in zones} == {
            "east": ["c2"],
            "internal": ["controller"],
            "nova": ["c1", "c3"],
        }
        assert {each["name"]: each["hosts"] for each in aggregates} == {
            "east": ["c2"],
            "ssd": ["c1", "c2"],
        }

    def test_a_host_can_be_of_ironic(self, cloud: Cloud) -> None:
        cloud.reset(hypervisors={"c3": "ironic"})

        found = cloud.login()("GET", "/os-hypervisors/detail").body["hypervisors"]

        assert [each["hypervisor_type"] for each in found] == ["QEMU", "QEMU", "ironic"]


class TestLiveMigration:
    def test_runs_and_ends_elsewhere(self, cloud: Cloud) -> None:
        nova = cloud.login()
        [server, *_] = nova.servers("c1")
        arguments = {"host": "c2", "block_migration": "auto"}

        assert nova.act(server["id"], "os-migrateLive", arguments).status == 202

        until(lambda: nova.server(server["id"])["OS-EXT-SRV-ATTR:host"] == "c2")
        assert cloud.ran_twice() == {}

    def test_can_be_aborted_while_it_runs(self, cloud: Cloud) -> None:
        cloud.reset(live_migration_s=30.0)
        nova = cloud.login()
        [server, *_] = nova.servers("c1")
        path = f"/servers/{server['id']}/migrations"
        nova.act(server["id"], "os-migrateLive", {"host": "c2", "block_migration": "auto"})
        until(lambda: [each["status"] for each in running(nova, path)] == ["running"])

        answer = nova("DELETE", f"{path}/{running(nova, path)[0]['id']}")

        assert answer.status == 202
        until(lambda: nova.server(server["id"])["status"] == "ACTIVE")
        assert nova.server(server["id"])["OS-EXT-SRV-ATTR:host"] == "c1"


def running(nova: Nova, path: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = nova("GET", path).body["migrations"]
    return found
