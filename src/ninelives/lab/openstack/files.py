"""The control plane's configuration files; what is not a default says why."""

import shutil
from pathlib import Path

from ninelives.lab.places import LOOPBACK, Network, Places

from . import install

PASSWORD = "nine-lives"  # noqa: S105 - of a cloud that only this machine can reach
REGION = "RegionOne"
DATABASES = ("keystone", "placement", "glance", "nova_api", "nova", "nova_cell0")
POOL = "max_pool_size = 30\nmax_overflow = 50"

KEYSTONE = """\
[DEFAULT]
log_file = {log}/keystone.log
[database]
connection = {database}
{pool}
[identity]
# bcrypt at its cheapest: a lab logs in often and guards nothing.
password_hash_rounds = 4
[token]
provider = fernet
expiration = 86400
[fernet_tokens]
key_repository = {etc}/keystone/fernet-keys
[fernet_receipts]
key_repository = {etc}/keystone/fernet-keys
[credential]
key_repository = {etc}/keystone/credential-keys
[cache]
# In the process: without it each look at a token costs about ten queries.
enabled = true
backend = dogpile.cache.memory
[oslo_policy]
enforce_scope = false
"""
PLACEMENT = """\
[DEFAULT]
log_file = {log}/placement.log
[placement_database]
connection = {database}
{pool}
[api]
auth_strategy = keystone
"""
GLANCE = """\
[DEFAULT]
log_file = {log}/glance.log
enabled_backends = fs:file
[glance_store]
default_backend = fs
[fs]
filesystem_store_datadir = {kept}/images
[os_glance_staging_store]
filesystem_store_datadir = {kept}/images-staging
[os_glance_tasks_store]
filesystem_store_datadir = {kept}/images-tasks
[database]
connection = {database}
{pool}
[paste_deploy]
flavor = keystone
config_file = {installed}/etc/glance/glance-api-paste.ini
[oslo_messaging_notifications]
driver = noop
"""
NOVA = """\
[DEFAULT]
host = control
my_ip = {address}
state_path = {kept}/nova
transport_url = rabbit://guest:guest@{address}:{messages}/
compute_driver = guests.FileDriver
# A lab is there to see hosts die: ten seconds is the default. The minute of service_down_time
# stays: a nova-compute that starts reports after five seconds (INITIAL_REPORTING_DELAY), and on a
# machine with other work much is late.
report_interval = 2
rpc_response_timeout = 60
[api]
max_limit = 2000
[vnc]
enabled = false
[conductor]
workers = 1
[scheduler]
workers = 1
[filter_scheduler]
track_instance_changes = false
# One of the best at random: by default all evacuations at once go to the host that looks emptiest.
host_subset_size = 20
[image_cache]
manager_interval = -1
[oslo_concurrency]
lock_path = {kept}/nova/locks
[oslo_messaging_notifications]
driver = noop
[glance]
api_servers = {glance}
[cinder]
catalog_info = volumev3::publicURL
[service_user]
send_service_user_token = false
"""
NOVA_DATABASES = """\
[api_database]
connection = {api}
{pool}
[database]
connection = {cell}
{pool}
"""
HOST = """\
[DEFAULT]
host = {host}
my_ip = {address}
state_path = {kept}/hosts/{host}
log_file = {log}/{host}.log
[oslo_concurrency]
lock_path = {kept}/hosts/{host}/locks
"""
LOGIN = """\
[{section}]
auth_type = password
auth_url = {keystone}/v3
username = {user}
password = {password}
project_name = service
user_domain_id = default
project_domain_id = default
{more}
"""
CLOUDS = """\
clouds:
  lab:
    auth:
      auth_url: {keystone}/v3
      username: admin
      password: {password}
      project_name: admin
      user_domain_name: Default
      project_domain_name: Default
    region_name: {region}
    identity_api_version: "3"
"""


def database_url(places: Places, name: str) -> str:
    login = f"lab:{PASSWORD}@{LOOPBACK}:{places.port('database')}"
    return f"mysql+pymysql://{login}/{name}?charset=utf8mb4"


def nova_files(places: Places) -> tuple[Path, Path]:
    """Return nova.conf, and the databases apart from it, which nova-compute must not be given."""
    return places.etc / "nova" / "nova.conf", places.etc / "nova" / "nova-db.conf"


def clouds_file(places: Places) -> Path:
    return places.folder / "clouds.yaml"


def write(places: Places) -> None:
    """Write every file anew. Safe to repeat."""
    for folder in ("images", "images-staging", "images-tasks", "nova/locks"):
        (places.kept / folder).mkdir(parents=True, exist_ok=True)
    keystone, installed = places.url("keystone"), install.environment()
    shown = f"www_authenticate_uri = {keystone}/v3\nservice_token_roles_required = true"
    _put(places, "keystone/keystone.conf", _filled(places, KEYSTONE, "keystone"))
    _put(
        places,
        "placement/placement.conf",
        _filled(places, PLACEMENT, "placement") + _login(places, "placement", shown),
    )
    _put(
        places,
        "glance/glance-api.conf",
        _filled(places, GLANCE, "glance") + _login(places, "glance", shown),
    )
    region = f"region_name = {REGION}"
    at_network = f"{region}\nendpoint_override = {places.url('network')}"
    _put(
        places,
        "nova/nova.conf",
        _filled(places, NOVA, "nova")
        + _login(places, "nova", shown)
        + _login(places, "placement", region, "placement")
        + _login(places, "neutron", at_network, "neutron"),
    )
    api, cell = database_url(places, "nova_api"), database_url(places, "nova")
    _put(places, "nova/nova-db.conf", NOVA_DATABASES.format(api=api, cell=cell, pool=POOL))
    shutil.copy(installed / "etc/nova/api-paste.ini", places.etc / "nova")
    clouds = CLOUDS.format(keystone=keystone, password=PASSWORD, region=REGION)
    clouds_file(places).write_text(clouds)


def write_host(places: Places, host: str) -> Path:
    """Write what is a host's own. Its identity lies in state_path: lost, it refuses to start."""
    (places.kept / "hosts" / host / "locks").mkdir(parents=True, exist_ok=True)
    address = places.host_at(Network.MANAGEMENT, host)
    text = HOST.format(host=host, address=address, kept=places.kept, log=places.log)
    return _put(places, f"hosts/{host}.conf", text)


def _filled(places: Places, text: str, database: str) -> str:
    return text.format(
        log=places.log,
        etc=places.etc,
        kept=places.kept,
        installed=install.environment(),
        address=places.address,
        messages=places.port("messages"),
        glance=places.url("glance"),
        database=database_url(places, database),
        pool=POOL,
    )


def _login(places: Places, user: str, more: str, section: str = "keystone_authtoken") -> str:
    return LOGIN.format(
        section=section,
        keystone=places.url("keystone"),
        user=user,
        password=PASSWORD,
        more=more,
    )


def _put(places: Places, name: str, text: str) -> Path:
    path = places.etc / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
