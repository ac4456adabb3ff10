"""The private face of a server: health, metrics and commands."""

from __future__ import annotations

from collections.abc import Callable

from tools.serving.state import Service, readiness
from tools.serving.wire import Answer, Receive, Scope, Send, body_of, error, reply


class Admin:
    """Health, metrics and commands, on the private port."""

    def __init__(self, service: Service, drain: Callable[[], None]) -> None:
        self._service = service
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await body_of(receive)
        await reply(send, self._answer(scope), close=True, version=self._service.options.version)

    def _answer(self, scope: Scope) -> Answer:
        service = self._service
        match (scope["method"], scope["path"]):
            case ("GET", "/v2/health/live"):
                return Answer.json({"live": True})
            case ("GET", "/v2/health/ready"):
                return readiness(service)
            case ("GET", "/metrics"):
                text = service.metrics.render(_gauges(service))
                return Answer(200, text.encode(), b"text/plain; version=0.0.4")
            case ("POST", "/admin/accept"):
                service.begin()
                return Answer.json({"accepting": service.accepting})
            case ("POST", "/admin/drain"):
                self._drain()
                return Answer.json({"draining": True}, 202)
            case _:
                return error(404, "the admin port has health, metrics, accept and drain")


def _gauges(service: Service) -> dict[str, float]:
    import resource

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "process_start_time_seconds": service.started,
        "process_resident_memory_max_bytes": float(memory),
        "steward_requests_in_flight": float(service.in_flight),
        "steward_ready": float(service.ready),
        "steward_accepting": float(service.accepting),
    }
