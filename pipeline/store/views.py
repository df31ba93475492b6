"""Views for people who ask with SQL: plain names, one meaning a column, the same on both databases.

They are no part of a migration but dropped before every one and made anew after it: SQLite refuses to rename a table
while a view names it (which is how it alters one), and PostgreSQL refuses to change a column that a view shows. A
changed view therefore needs a migration, if only an empty one, to reach a database that exists.

Items that another one stands for (`same_as`) are left out of `items` and `facts`, as of a search. No column of a view
bears the name of a table, so that a statement that names one can be refused.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect

VIEWS: dict[str, str] = {
    "items": """
        SELECT item.uid AS id, item.title, item.published_on, item.published_at, item.published_precision,
            item.published_raw, item.published_method, item.dates_disagree,
            item.publisher, item.publisher_zh, item.publisher_en, item.author, item.source_key AS source, item.url,
            item.body, item.version_number AS versions, item.first_seen_at, item.last_seen_at,
            lead.uid AS story_id, version.snapshot_sha256, item.content_sha256,
            withdrawal.gone_at AS withdrawn_at, withdrawal.kind AS withdrawn_kind,
            (SELECT min(listed.first_seen_at) FROM address JOIN listed ON listed.address = address.address
             WHERE address.item_id = item.id AND listed.inserted IS NOT NULL) AS inserted_at,
            (SELECT listed.inserted FROM address JOIN listed ON listed.address = address.address
             WHERE address.item_id = item.id AND listed.inserted IS NOT NULL
             ORDER BY listed.first_seen_at, listed.source_key LIMIT 1) AS inserted_below
        FROM item
        JOIN version ON version.item_id = item.id AND version.number = item.version_number
        LEFT JOIN story_member ON story_member.item_id = item.id
        LEFT JOIN story ON story.id = story_member.story_id
        LEFT JOIN item AS lead ON lead.id = story.lead_id
        LEFT JOIN withdrawal ON withdrawal.item_id = item.id AND withdrawal.confirmed_at IS NOT NULL
            AND withdrawal.returned_at IS NULL
        WHERE item.same_as IS NULL""",
    "facts": """
        SELECT fact.id AS fact_id, item.uid AS item_id, fact.kind, fact.raw, fact.key AS reading,
            fact.court AS court_name,
            CASE WHEN fact.kind = 'amount' THEN fact.value ->> 'amount' END AS amount,
            CAST(fact.amount AS DOUBLE PRECISION) AS amount_number,
            CASE WHEN fact.kind = 'amount' THEN fact.value ->> 'currency' END AS currency,
            CASE WHEN fact.kind IN ('amount', 'party') THEN fact.value ->> 'role' END AS role,
            CASE WHEN fact.kind = 'date' THEN fact.value ->> 'date' END AS date_on,
            CASE WHEN fact.kind = 'date' THEN fact.value ->> 'precision' END AS date_precision,
            CASE WHEN fact.kind = 'date' THEN fact.value ->> 'meaning' END AS date_meaning,
            fact.field, fact.start AS start_at, fact."end" AS end_at, fact.method, fact.value AS details,
            item.published_on, item.source_key AS source
        FROM fact JOIN item ON item.id = fact.item_id
        WHERE item.same_as IS NULL""",
    "stories": """
        SELECT lead.uid AS id, lead.title, lead.published_on, lead.publisher, story.lead_reason, story.created_at,
            (SELECT count(*) FROM story_member WHERE story_member.story_id = story.id) AS reports
        FROM story JOIN item AS lead ON lead.id = story.lead_id""",
    "reports": """
        SELECT lead.uid AS story_id, item.uid AS item_id, item.title, item.published_on, item.publisher,
            item.source_key AS source, story_member.since AS since_at, story_member.reasons,
            item.id = story.lead_id AS leads
        FROM story_member
        JOIN story ON story.id = story_member.story_id
        JOIN item ON item.id = story_member.item_id
        JOIN item AS lead ON lead.id = story.lead_id""",
    "versions": """
        SELECT item.uid AS item_id, version.number, version.title, version.body, version.reason, version.fetched_at,
            version.snapshot_sha256, version.content_sha256
        FROM version JOIN item ON item.id = version.item_id""",
    "runs": """
        SELECT run.id, run.source_key AS source, run.started_at, run.finished_at, run.list_read_at, run.state,
            run.reason, run.baseline, run.counts, run.verdict AS judged_as
        FROM run""",
    "sources": """
        SELECT run.source_key AS source, count(*) AS runs, max(run.started_at) AS last_run_at,
            max(run.list_read_at) AS last_read_at,
            (SELECT count(*) FROM item WHERE item.source_key = run.source_key AND item.same_as IS NULL) AS items,
            (SELECT max(item.published_on) FROM item WHERE item.source_key = run.source_key) AS newest_on,
            (SELECT source_health.verdict FROM source_health WHERE source_health.source_key = run.source_key)
                AS judged_as,
            (SELECT source_health.since_on FROM source_health WHERE source_health.source_key = run.source_key)
                AS judged_since_on
        FROM run GROUP BY run.source_key""",
    "verdicts": """
        SELECT verdict.source_key AS source, verdict.day AS day_on, verdict.verdict AS judged_as, verdict.kind,
            verdict.why, verdict.heard, verdict.moved, verdict.runs, verdict.new AS new_items,
            verdict.edited AS edited_items, verdict.judged_at
        FROM verdict""",
    "withdrawals": """
        SELECT item.uid AS item_id, item.title, item.source_key AS source, withdrawal.kind, withdrawal.detail,
            withdrawal.seen_until, withdrawal.gone_at, withdrawal.confirmed_at, withdrawal.returned_at,
            withdrawal.snapshot_sha256, withdrawal.confirmed_sha256
        FROM withdrawal JOIN item ON item.id = withdrawal.item_id""",
    "deliveries": """
        SELECT delivery.id, item.uid AS item_id, item.title, delivery.rule, delivery.event, delivery.channel,
            delivery.recipient, delivery.state, delivery.attempts, delivery.created_at, delivery.next_at,
            delivery.sent_at, delivery.detail
        FROM delivery LEFT JOIN item ON item.id = delivery.item_id""",
    "snapshots": """
        SELECT snapshot.id, snapshot.sha256, snapshot.url, snapshot.source_key AS source, snapshot.kind,
            snapshot.status, snapshot.detail, snapshot.fetched_at, snapshot.run_id
        FROM snapshot""",
    "corrections": """
        SELECT correction.id, item.uid AS item_id, correction.target, correction.action, correction.kind,
            correction.raw, correction.value AS details, correction.author, correction.reason, correction.made_at,
            correction.undone_at
        FROM correction JOIN item ON item.id = correction.item_id""",
}


def drop_views(connection: Connection) -> None:
    """Take every view off, so that the tables below can be altered."""
    for name in set(VIEWS) & set(inspect(connection).get_view_names()):
        connection.exec_driver_sql(f'DROP VIEW "{name}"')


def make_views(connection: Connection) -> None:
    """Make every view; the tables are up to date."""
    for name, query in VIEWS.items():
        connection.exec_driver_sql(f'CREATE VIEW "{name}" AS {query}')


def view_columns(connection: Connection) -> dict[str, list[str]]:
    """The columns of every view, by its name."""
    inspector = inspect(connection)
    return {name: [str(column["name"]) for column in inspector.get_columns(name)] for name in VIEWS}
