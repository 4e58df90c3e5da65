"""What the demo's people wrote, beside the two issues in larkmere.json."""

from typing import Any

from ..domain.calls.texts.news import News

ORGANISATION = "Larkmere Safeguarding Children Partnership"
QUARTERLY, POLICY = "Safeguarding news", "Policy changes"
STRAPLINE = "What has changed, what we found and what we need from you this quarter."

PRIVACY_NOTICE = """The Larkmere Safeguarding Children Partnership publishes this newsletter and looks after your data.

We use your email address to send what you ticked, and your name and workplace, if you gave them, to address you and \
to know which services read us. We use them for nothing else and give them to nobody.

We keep them until you leave. A note of what you agreed to and when stays for six years; the address itself is \
deleted on your wish within a day.

You may see, correct, move and delete what we hold, and object at any time: write to newsletter@example.org. If we \
do not put it right, the Information Commissioner’s Office looks into it."""

_CONTACT = {
    "heading": "Who to contact",
    "lead": "If you are worried about a child, ring the Front Door at any hour. If a child is in immediate danger, "
    "ring 999.",
    "name": "Larkmere Front Door",
    "role": "Day and night, every day",
    "email": "front.door@example.org",
    "phone": "01632 960 143",
}

#: An older issue: (kind, data). What every issue has is there already.
OLDEST_ISSUE: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "section",
        {
            "heading": "One front door for every concern",
            "source_agency": "Larkmere Council",
            "body": "<p>Concerns about children now come to one team, by one number and one form, whoever you work "
            "for. The three area desks have closed.</p><p>Thank you to everybody who tried the form and told us "
            "what was missing.</p>",
        },
    ),
    (
        "section",
        {
            "heading": "What young people told us about meetings",
            "source_agency": "Larkmere Youth Alliance",
            "body": "<p>The Young Advisers sat in on seven meetings and wrote us a page. Three of their wishes:</p>"
            "<ul><li>say who everybody is, and why they are there</li><li>ask us before you read aloud what we "
            "said</li><li>tell us afterwards what was decided</li></ul>",
        },
    ),
    (
        "priorities",
        {
            "heading": "Before you share information",
            "lead_in": "Four questions help you to decide:",
            "items": [
                "Is there a clear purpose, and can you name it?",
                "Does the person know, and is it safe that they know?",
                "Is it the least that does the job?",
                "Have you written down what you shared, and why?",
            ],
            "closing": "",
        },
    ),
    ("contact", _CONTACT),
)

BULLETIN_TITLE = "Resolving professional disagreement: one page less"
BULLETIN: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "section",
        {
            "heading": "The chapter on professional disagreement is shorter",
            "source_agency": "",
            "body": "<p>You now have two steps instead of four, and each has a day by which you get an answer.</p>"
            "<p>If you disagree with a decision about a child:</p><ol><li>ring the person who decided, and say what "
            "worries you</li><li>if that does not settle it, ask your safeguarding lead to ring theirs</li></ol>"
            "<p>The partnership office helps at both steps.</p>",
        },
    ),
    (
        "contact",
        {
            "lead": "For questions about the procedures, ask our policy officer.",
            "name": "Bethan Ashdown-Lee",
            "role": "Policy and Audit Officer",
            "email": "bethan.ashdown-lee@example.org",
            "phone": "01632 960 127",
        },
    ),
)

#: Sent in for the issue that is being written, and already placed: its words are in larkmere.json.
BOATHOUSE = ("Larkmere Family Hubs", "Tegan Penhale", "tegan.penhale@hubs.example.org", "01632 960 152")

WAITING: tuple[News, ...] = (
    News(
        title="One number for the domestic abuse unit",
        body="Every agency can now reach our domestic abuse unit on one number, day and night: 0808 157 0118. Please "
        "use it in place of the three area desks.\n\nThree things help us:\n- say which agency you are from\n- have "
        "the address and the names ready\n- tell us whether it is safe to ring back",
        agency="Larkmere Police",
        contact_name="Sam Okafor",
        contact_address="sam.okafor@police.example.org",
        contact_phone="01632 960 114",
    ),
    News(
        title="Peer mentors: what we learned in a year",
        body="Thirty pupils have trained as peer mentors at Oakfield. Attendance of the pupils they walk with has "
        "gone up, and so has their own.\n\nWe are glad to show other schools how we began.",
        agency="Oakfield School",
        contact_name="Ines Rahman",
        contact_address="ines.rahman@oakfield.example.org",
    ),
)
DECLINED = News(
    title="Summer fair at the surgery",
    body="There will be cakes, a tombola and a chance to meet the new practice nurse.",
    agency="Weir Street Surgery",
    contact_name="Owen Gill",
    contact_address="owen.gill@surgery.example.org",
)
DECLINE_REASON = (
    "Thank you, Owen. We print what people who work with children can use; the town’s diary is the better place."
)
LATE = News(
    title="Housing officers join the morning call",
    body="From next month a housing officer joins the call that looks at last night’s notifications.",
    agency="Lakeside Housing",
    contact_name="Dev Shaw",
    contact_address="dev.shaw@housing.example.org",
)
FOR_NEXT = News(
    title="A shorter letter to parents",
    body="Our health visitors tried a letter of six sentences with forty families. Nine in ten came to the first "
    "appointment.",
    agency="Larkmere Health Trust",
    contact_name="Grace Idowu",
    contact_address="grace.idowu@health.example.org",
    contact_phone="01632 960 131",
)

#: The agencies, and who writes for each: the first is its lead.
PARTNERS: dict[str, tuple[tuple[str, str], ...]] = {
    "Larkmere Police": (
        ("Sam Okafor", "sam.okafor@police.example.org"),
        ("Lena Fox", "lena.fox@police.example.org"),
    ),
    "Larkmere Health Trust": (("Grace Idowu", "grace.idowu@health.example.org"),),
    "Larkmere Family Hubs": (("Tegan Penhale", "tegan.penhale@hubs.example.org"),),
    "Lakeside Housing": (("Dev Shaw", "dev.shaw@housing.example.org"),),
    "Oakfield School": (("Ines Rahman", "ines.rahman@oakfield.example.org"),),
    "Larkmere Quality and Audit": (("Mair Protheroe", "mair.protheroe@audit.example.org"),),
    "Larkmere Youth Justice": (("Callum Reyes", "callum.reyes@youth.example.org"),),
}
NOTHING_THIS_TIME, NOTHING_NEXT_TIME = ("Larkmere Youth Justice",), ("Lakeside Housing",)
MORE_TIME = "Our board met an hour late, and the figures came with it. May I send this by tomorrow noon?"
