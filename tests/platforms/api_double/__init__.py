"""A Kubernetes API server double over real HTTP, with controllers, a scheduler and a kubelet.

It is as strict as the real one where Steward depends on it: uid, generation, resourceVersion,
conflicts, dry run, JSON-patch tests, paging, watches, and the words of its errors.
"""

from tests.platforms.api_double.cluster import ApiDouble
from tests.platforms.api_double.kubelet import Behaviour

__all__ = ["ApiDouble", "Behaviour"]
