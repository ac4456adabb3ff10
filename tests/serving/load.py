"""A steady stream of inference requests that counts every failure."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from types import TracebackType


class Load:
    """Clients that ask without pause until stopped: half keep their connection, half do not
    (none with ``keep=False``).

    A client never asks twice for the same answer: whatever goes wrong is a failure.
    """

    def __init__(
        self, port: int, model: str, clients: int = 4, labels: bool = False, keep: bool = True
    ) -> None:
        self.versions: Counter[str] = Counter()
        self.failures: list[str] = []
        self._port, self._model, self._labels = port, model, labels
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._ask, args=(keep and n % 2 == 0, n), daemon=True)
            for n in range(clients)
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    @property
    def answered(self) -> int:
        return sum(self.versions.values())

    def run_for(self, requests: int, seconds: float = 20.0) -> None:
        """Wait until so many more requests were answered."""
        until, deadline = self.answered + requests, time.monotonic() + seconds
        while self.answered < until and time.monotonic() < deadline:
            time.sleep(0.01)

    def _body(self, chance: random.Random) -> bytes:
        label = chance.randrange(3)
        row = [0.0, 0.0, 0.0, chance.random()]
        row[label] = 1.0
        request: dict[str, object] = {
            "inputs": [{"name": "image", "shape": [1, 4], "datatype": "FP32", "data": row}]
        }
        if self._labels:
            request["parameters"] = {"labels": [label]}
        return json.dumps(request).encode()

    def _ask(self, keep: bool, seed: int) -> None:
        chance = random.Random(seed)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=15)
        while not self._stop.is_set():
            try:
                connection.request("POST", f"/v2/models/{self._model}/infer", self._body(chance))
                response = connection.getresponse()
                answer = json.loads(response.read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                with self._lock:
                    self.failures.append(f"{type(error).__name__}: {error}")
                connection.close()
                continue
            with self._lock:
                if response.status == 200:
                    self.versions[answer["model_version"]] += 1
                else:
                    self.failures.append(f"{response.status}: {answer}")
            if not keep:
                connection.close()
            time.sleep(0.004)
        connection.close()
