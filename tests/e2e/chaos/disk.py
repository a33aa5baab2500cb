"""A small file system of the test's own for the blobs, which can be full for a while (ENOSPC).

Mounted in a mount namespace of this process and its children: nothing of it outlives them. Needs root.
"""

import ctypes
import os
import subprocess

_CLONE_NEWNS = 0x00020000


class SmallDisk:
    ROOMY = "75%"  # of memory, as a limit: only what is stored takes any

    def __init__(self, folder):
        self.folder = folder

    @classmethod
    def mount(cls, folder):
        """The disk, mounted on `folder`; None where that is not allowed."""
        libc = ctypes.CDLL(None, use_errno=True)
        if os.geteuid() != 0 or libc.unshare(_CLONE_NEWNS) != 0:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        private = subprocess.run(["mount", "--make-rprivate", "/"], check=False, capture_output=True)
        if private.returncode != 0:
            return None
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={cls.ROOMY}", "tmpfs", folder],
                                 check=False, capture_output=True)
        return cls(folder) if mounted.returncode == 0 else None

    def fill(self):
        """Shrinks to what is in use, so that not a byte more goes in. Again if that grew meanwhile."""
        for _ in range(100):
            usage = os.statvfs(self.folder)
            used = (usage.f_blocks - usage.f_bfree) * usage.f_frsize
            if self._resize(max(used, usage.f_frsize)):
                return
        raise AssertionError(f"{self.folder} could not be made full")

    def empty(self):
        assert self._resize(self.ROOMY), f"{self.folder} could not be given room again"

    def _resize(self, size):
        return subprocess.run(["mount", "-o", f"remount,size={size}", self.folder], check=False,
                              capture_output=True).returncode == 0
