"""Sets resource limits on itself, then becomes the given command: `limits.py CPU_SECONDS MIB COMMAND...`.

A script of its own, because code between fork and exec may block where the parent has threads.
"""

import os
import sys

NO_LIMITS = 125  # exit status where the system refuses a limit
_FILE_BYTES = 16 * 1024 * 1024


def set_limits(cpu_s: int, memory_mb: int) -> None:
    """Limit this process and its children; OSError or ValueError where the system refuses."""
    import resource

    # SIGXCPU comes at the soft limit, SIGKILL a second later to those that catch it.
    wanted = {
        resource.RLIMIT_CPU: (cpu_s, cpu_s + 1),
        resource.RLIMIT_AS: (memory_mb << 20, memory_mb << 20),
        resource.RLIMIT_FSIZE: (_FILE_BYTES, _FILE_BYTES),
        resource.RLIMIT_CORE: (0, 0),
    }
    for limit, values in wanted.items():
        _, most = resource.getrlimit(limit)
        soft, hard = (v if most == resource.RLIM_INFINITY else min(v, most) for v in values)
        resource.setrlimit(limit, (soft, hard))


def main() -> None:
    """Set the limits and replace this process by the command."""
    cpu_s, memory_mb, *command = sys.argv[1:]
    try:
        set_limits(int(cpu_s), int(memory_mb))
    except (ImportError, OSError, ValueError):
        sys.exit(NO_LIMITS)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
