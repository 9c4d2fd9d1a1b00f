"""The door of the API: which handler serves a request, and what a broken road makes of it."""

from . import api_moves, api_servers, build
from .requests import (
    AbortLiveMigration,
    ActOn,
    Answer,
    ConfirmResize,
    CreateServer,
    DeleteServer,
    Evacuate,
    Fault,
    ListActions,
    ListAllocations,
    ListCandidates,
    ListMigrations,
    ListServers,
    ListServices,
    LiveMigrate,
    Lock,
    NoAnswer,
    ReadCatalogue,
    Reply,
    Request,
    ResetState,
    Resize,
    RevertResize,
    ShowServer,
    UpdateService,
)
from .settings import ApiFault
from .state import CONTROL_PLANE, State, push
from .work import LateRequest, Step

_UNEXPECTED = (
    "Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/ and attach the "
    "Nova API log if possible."
)
_READS = (
    ListServices,
    ListServers,
    ShowServer,
    ListMigrations,
    ListActions,
    ListAllocations,
    ListCandidates,
    ReadCatalogue,
)


def answer(state: State, asked: Request) -> Reply:
    """Serve the request, or fail as the faults say: before it was taken, or after."""
    timings = state.timings
    passes = state.faults.is_api_read and isinstance(asked, _READS)
    match None if passes else state.faults.api:
        case ApiFault.UNREACHABLE:
            return NoAnswer("connection refused", timings.refused_s)
        case ApiFault.ERROR_500:
            return Fault(500, _UNEXPECTED, timings.get_s)
        case ApiFault.UNAVAILABLE_503:
            return Fault(503, "Service Unavailable", timings.refused_s)
        case ApiFault.BACKLOG:
            push(
                state, state.now + timings.backlog_s, Step(LateRequest(asked), None, CONTROL_PLANE)
            )
            return NoAnswer("timed out", timings.client_timeout_s)
        case ApiFault.REPLY_LOST:
            serve(state, asked)
            return NoAnswer("timed out", timings.client_timeout_s)
        case ApiFault.TIMEOUT_504:
            serve(state, asked)
            return Fault(504, "Gateway Timeout", timings.client_timeout_s)
        case None:
            reply = serve(state, asked)
            served_s = timings.get_s if isinstance(asked, _READS) else timings.post_s
            return _taken(reply, reply.after_s + served_s + state.faults.api_delay_s)


def _taken(reply: Reply, after_s: float) -> Reply:
    match reply:
        case Answer(status, body):
            return Answer(status, body, after_s)
        case Fault(status, message):
            return Fault(status, message, after_s)
        case NoAnswer(reason):
            return NoAnswer(reason, after_s)


def serve(state: State, asked: Request) -> Reply:
    if state.faults.is_database_down:
        return Fault(500, _UNEXPECTED)
    match asked:
        case ListActions():  # first what is asked most
            return api_servers.list_actions(state, asked)
        case ListServers():
            return api_servers.list_servers(state, asked)
        case ShowServer(server):
            found = api_servers.find(state, server)
            return found if isinstance(found, Fault) else Answer(200, found)
        case ListServices():
            return api_moves.list_services(state)
        case UpdateService():
            return api_moves.update_service(state, asked)
        case Evacuate():
            return api_moves.evacuate(state, asked)
        case ActOn():
            return api_servers.act_on(state, asked)
        case LiveMigrate():
            return api_moves.live_migrate(state, asked)
        case AbortLiveMigration():
            return api_moves.abort_live_migration(state, asked)
        case Resize():
            return api_moves.resize(state, asked)
        case ConfirmResize():
            return api_servers.confirm_resize(state, asked)
        case RevertResize():
            return api_servers.revert_resize(state, asked)
        case CreateServer():
            return build.create(state, asked)
        case ResetState():
            return api_servers.reset_state(state, asked)
        case DeleteServer():
            return api_servers.delete(state, asked)
        case Lock():
            return api_servers.lock(state, asked)
        case ListMigrations():
            return api_servers.list_migrations(state, asked)
        case ListAllocations():
            return api_servers.list_allocations(state, asked)
        case ListCandidates():
            return api_servers.list_candidates(state, asked)
        case ReadCatalogue():
            return Answer(200)
