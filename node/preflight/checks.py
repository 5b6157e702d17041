"""Every check, in the order in which it is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from node.preflight import data, local, network, standing
from node.preflight.finding import Verdict
from node.preflight.subject import Subject
from protocols.operator.errors import ExitCode


@dataclass(frozen=True)
class Check:
    """One condition. `exit_code` is what its failure is worth; `online` says that it needs the network."""

    name: str
    title: str
    look: Callable[[Subject], Verdict]
    exit_code: ExitCode = ExitCode.REFUSED
    online: bool = False


_OUT = ExitCode.CONNECTION

CHECKS = (
    Check("files", "Files and modes", local.check_files),
    Check("profile", "Profile", local.check_profile),
    Check("keys", "Site keys", local.check_site_keys, _OUT),
    Check("transport_key", "Relay key", local.check_transport_key, _OUT),
    Check("relay_files", "Relay settings", local.check_relay_files, _OUT),
    Check("approval", "Approval", standing.check_approval),
    Check("ledger", "Ledger", local.check_ledger_file),
    Check("in_step", "Ledger in step", standing.check_in_step),
    Check("local_clock", "Clock and ledger", standing.check_local_clock),
    Check("noise", "Noise sampler", data.check_noise),
    Check("sources", "Sources", data.check_sources),
    Check("mapping", "Mapping", data.check_mapping),
    Check("quality", "Quality", data.check_quality),
    Check("budget", "Budget", standing.check_budget),
    Check("pause", "Pause", standing.check_pause),
    Check("disk", "Disk space", local.check_disk),
    Check("monitor_port", "Monitor port", local.check_monitor_port),
    Check("proxy", "Proxy", network.check_proxy, _OUT, online=True),
    Check("superlink", "SuperLink", network.check_superlink, _OUT, online=True),
    Check("certificates", "Certificates", network.check_certificates, _OUT, online=True),
    Check("clock", "Clock skew", network.check_clock_skew, _OUT, online=True),
)
