"""What all processes together did since the installation began: their counts, added up in rows."""

from sqlalchemy import select

from ..db import conflict_aware_insert, db, transaction
from ..models import OperationTotal
from ..work import counting

#: Names of what is counted. Of jobs the label is the job's name, of the relay the kind of answer.
JOB, JOB_FAILED, JOB_WAITED, RELAY, BACKUP = "job", "job_failed", "job_waited", "relay", "backup"
#: The label is a machine, and what it says the folder of imports that it sees.
IMPORTS = "imports"


def write_down() -> None:
    """Add what this process counted to the rows, in a short transaction. What cannot be written is counted on."""
    counts = counting.take()
    if not counts:
        return
    try:
        with transaction() as session:
            # Sorted, so that two processes wait for each other instead of blocking each other.
            for (name, label), count in sorted(counts.items(), key=lambda item: item[0]):
                added = conflict_aware_insert(OperationTotal).values(
                    name=name,
                    label=label,
                    number=count.number,
                    total=count.total,
                    latest=count.latest,
                    at=count.at,
                    said=count.said,
                )
                session.execute(
                    added.on_conflict_do_update(
                        index_elements=[OperationTotal.name, OperationTotal.label],
                        set_={
                            "number": OperationTotal.number + added.excluded.number,
                            "total": OperationTotal.total + added.excluded.total,
                            **{field: added.excluded[field] for field in ("latest", "at", "said")},
                        },
                    )
                )
    except BaseException:
        counting.give_back(counts)
        raise


def totals() -> dict[tuple[str, str], OperationTotal]:
    """Every total, by what was counted and which."""
    return {(one.name, one.label): one for one in db.session.scalars(select(OperationTotal))}
