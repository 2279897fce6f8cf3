#!/usr/bin/python3
"""Counts the files that wait in folders: a mail queue, a spool, an inbox.

A collector of gz-monitor in request mode, without dependencies. For each folder it reports how many
files there are below it, their size, and the age of the oldest.

    [[collector]]
    name = "mail-queue"
    command = ["/usr/local/bin/queue-depth.py", "/var/spool/postfix/deferred"]
    config = { mode = "request" }
"""

import json
import os
import sys
import time


def say(**record):
    print(json.dumps(record), flush=True)


def measure(folder):
    """The number of files below a folder, their bytes, and the time of the oldest one."""
    count, size, oldest = 0, 0, None

    def failed(error):
        # os.walk() passes over what it cannot read; a number that leaves it out would be wrong.
        if not isinstance(error, FileNotFoundError) or error.filename == folder:
            raise error

    for path, _, names in os.walk(folder, onerror=failed):
        for name in names:
            try:
                status = os.lstat(os.path.join(path, name))
            except FileNotFoundError:
                continue  # Delivered meanwhile.
            count += 1
            size += status.st_size
            oldest = min(oldest or status.st_mtime, status.st_mtime)
    return count, size, oldest


def main(folders):
    for _ in sys.stdin:  # One line is one question; the end of them is our end.
        if not folders:
            say(type="end", status="config", message="name at least one folder as an argument")
            continue
        problem = None
        for folder in folders:
            labels = {"folder": folder}
            try:
                count, size, oldest = measure(folder)
            except OSError as error:
                problem = str(error)
                continue
            say(name="queue_files", labels=labels, value=count)
            say(name="queue_bytes", labels=labels, value=size)
            if oldest is not None:
                age = max(0, time.time() - oldest)
                say(name="queue_oldest_age_seconds", labels=labels, value=age)
        if problem:
            say(type="end", status="unavailable", message=problem)
        else:
            say(type="end")


if __name__ == "__main__":
    main(sys.argv[1:])
