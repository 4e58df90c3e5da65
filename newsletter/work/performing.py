"""One job, run: what its log lines belong to, how long it waited and took, and what is left of it when it fails."""

import logging
import time

from flask import Flask

from .. import logs
from . import counting, registry

_log = logging.getLogger(__name__)


def perform(app: Flask, job_name: str, ids: tuple[int, ...], *, request_id: str = "", waited: float = 0.0) -> None:
    """Run the job in a context of its own. Never raises: the rows still say what is to be done, so it is tried again.

    `request_id` names the request that rang for it, if it was one; `waited` is how many seconds ago that was.
    """
    about = {"job": job_name, "job_id": logs.new_id()} | ({"request_id": request_id} if request_id else {})
    counting.note("job_waited", job_name, waited)
    began = time.monotonic()
    with logs.about(**about):
        try:
            with app.app_context():
                registry.JOBS[job_name](*ids)
        except Exception as error:
            counting.note("job_failed", job_name, said=type(error).__name__)
            _log.exception("The job %s failed", job_name)
        else:
            counting.note("job", job_name, time.monotonic() - began)
