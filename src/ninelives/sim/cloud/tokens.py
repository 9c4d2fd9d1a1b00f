"""Keystone's tokens: who holds one, for which project, and until when."""

from dataclasses import dataclass

from .catalogue import User, hex_of

TOKEN_LIFE_S = 3600.0


@dataclass(frozen=True, slots=True)
class Token:
    id: str
    user: User
    project: str
    issued: float
    expires: float


class Tokens:
    """The tokens that were handed out and not taken back."""

    def __init__(self) -> None:
        self._by_id: dict[str, Token] = {}
        self.life_s = TOKEN_LIFE_S

    def issue(self, user: User, project: str, now: float) -> Token:
        id = "gAAAAA" + hex_of("token", user.name, str(len(self._by_id)), str(now))  # noqa: A001 -- Keystone's own word
        token = Token(id, user, project, now, now + self.life_s)
        self._by_id[id] = token
        return token

    def find(self, id: str, now: float) -> Token | None:  # noqa: A002 -- Keystone's own word
        token = self._by_id.get(id)
        return token if token is not None and now < token.expires else None

    def revoke(self, id: str) -> None:  # noqa: A002 -- Keystone's own word
        self._by_id.pop(id, None)

    def revoke_all(self) -> None:
        """What a lost fernet key does: every token is unknown from now on."""
        self._by_id.clear()
