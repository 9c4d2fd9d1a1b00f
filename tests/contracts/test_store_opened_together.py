"""Controllers that start in the same instant on a store that is not there yet share one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from ninelives.adapters.sql import open_store
from ninelives.adapters.sql_board import SqlBoard

CONTROLLERS, ROUNDS = 4, 60  # one round in four was refused before SQLite was asked again


def test_all_who_open_an_empty_store_at_once_get_the_same(tmp_path: Path) -> None:
    for number in range(ROUNDS):
        barrier = Barrier(CONTROLLERS)

        def opened(at: Path, barrier: Barrier = barrier) -> str:
            barrier.wait()
            store = open_store(f"sqlite:///{at}")
            SqlBoard(store)
            found = store.identity().store_id
            store.close()
            return found

        with ThreadPoolExecutor(CONTROLLERS) as threads:
            found = set(threads.map(opened, [tmp_path / f"{number}.db"] * CONTROLLERS))

        assert len(found) == 1
