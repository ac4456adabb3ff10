"""What looking costs: an 8-GPU sample and an answer from the cache, the host, the history, charts.

``python -m bench.observe`` prints milliseconds (median of 20, worst). GPUs are a fake library
behind the real binding and the real worker process, so the driver's own time is not in it.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from tests.observe.fake_nvml import gpu, state
from tests.observe.worlds import observed, wave
from tools.observe.chart_png import write
from tools.observe.gpu import Gpus
from tools.observe.host import Host
from tools.observe.host_status import host_status
from tools.observe.sampler import Sampler
from tools.observe.telemetry import LocalTelemetry


def measure(name: str, call: Callable[[], object], times: int = 20) -> None:
    call()
    spent: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        spent.append(1000 * (time.perf_counter() - began))
    print(f"{name:<44} {statistics.median(spent):8.2f} ms   worst {max(spent):8.2f} ms")


def main() -> None:
    home = Path(tempfile.mkdtemp())
    file = home / "gpus.json"
    file.write_text(json.dumps(state(*[gpu(links=[0] * 18) for _ in range(8)])))
    os.environ["FAKE_NVML_STATE"] = str(file)
    live = Gpus(fresh=0, slow=1e9, preload="tests.observe.fake_nvml")
    whole = Gpus(fresh=0, slow=0, preload="tests.observe.fake_nvml")
    cached = Gpus(fresh=60, preload="tests.observe.fake_nvml")
    measure("8 GPUs, usual sample (target 50 ms)", live.report)
    measure("8 GPUs, with NVLink, ECC, processes", whole.report)
    measure("8 GPUs, from the cache (target 5 ms)", cached.report)
    measure("host sample", Host(fresh=0).sample)
    world = observed(home / "w", telemetry=lambda w: LocalTelemetry(w, gpus=cached))
    port = world.port("telemetry")
    for i in range(8):
        port.record(wave("gpu_temperature", [60.0 + i] * 360, step=10, labels={"gpu": str(i)}))
    sampler = Sampler(world, port)

    def tick() -> None:
        world.clock.sleep(10)
        sampler.tick()

    measure("sampler tick with its commit", tick)
    hour = timedelta(hours=1)
    series = port.series("gpu_temperature", hour)
    measure("history: 8 series of an hour", lambda: port.series("gpu_temperature", hour))
    measure("host_status answer", lambda: host_status.read(world).say("en"))  # pyright: ignore[reportOptionalCall]
    measure("chart as PNG", lambda: write(home / "c.png", series, "t", "l"), times=5)
    for built in (live, whole, cached):
        built.close()


if __name__ == "__main__":
    main()
