"""Two hundred sentences that hold no personal data, though much in them looks like it: nothing may stop an issue.

The publisher of the tests is example.org with the phone 01632 960 100 and the postcode LK1 1AA; the issue goes out on
14 December 2026. A few are meant to be hard; the test says how many are taken for what they are not.
"""

_NUMBERS = """
Your reference is 943 476 5918.
Invoice 9991000001 is paid.
Order number 1234567890 has arrived.
The book has the ISBN 0 19 852663 6.
ISBN 978-0-19-852663-6 is out of print.
Account 12345678, sort code 12-34-56.
We counted 1,234,567,890 steps.
It cost £1234567890.00 in all.
The figure rose from 102,345 to 110,234.
In 2026/2027 we saw 1 034 families.
The grant is £2,500,000 over 3 years.
Reference LSP/2026/0004512 stands on the letter.
See section 47 of the Children Act 1989.
Form 1111111111 is withdrawn.
Company number 01234567 is ours.
Charity number 1123456 is theirs.
The contract LK-2026-000123 ends in May.
Room 4, floor 2, block 11.
Between 2015 and 2026 there were 412 reviews.
Version 10.4.2026 of the form is out.
The grid reference is SU 123 456.
Tickets 0001 to 0250 are sold.
Statutory Instrument 2018 No. 952 applies.
DOI 10.1000/182 leads to the paper.
The barcode reads 5 012345 678900.
The trust served 9,434,765,918 meals, or so it felt.
Bus 943 leaves at 4.76, some say.
The code is 123456.
A score of 37 out of 100 is common.
999 1000 001 is no number of anybody.
""".strip().splitlines()
_LETTERS = """
Junction J10 of the M4 is closed.
The form QQ 12 34 56 C shows where the number goes.
Write GB 12 34 56 A on the crate.
Paper size A4, weight 80 g.
Postbox B12 is emptied at 5pm.
Plan ref AB/12/34/56 is online.
The A1234567 is a road on no map.
Use form P45 or P60.
Model XR123456 is recalled.
Vaccine lot AB1234C was used.
The licence plate LK26 ABC is a joke.
Chapter A12 and annex B3 have changed.
Batch A123456789013 is safe to use.
Serial T202612345678 is on the lid.
The order R000000000000 is void.
Key stage KS2 and year Y4 took part.
The course code is SG-101-B.
DfE 12345 2026 is the form's number.
Unit ABC 12 34 meets weekly.
The case AB12 of 1934 is famous.
Grade A, class 1, band 2.
Route 66 C is scenic.
NI stands for National Insurance.
A UPN has thirteen characters.
An NHS number has ten digits.
""".strip().splitlines()
_DATES = """
The conference is on 3 May 2027.
The Children Act 1989 came into force on 14 October 1991.
The partnership was formed on 1 April 2019.
The guide of 21 August 2011 is withdrawn.
Larkmere Safeguarding Partnership was founded on 29 September 2019.
The last review (3 May 2015) is online.
Board Meeting, 03/05/2025.
Minutes of the Executive Group, 14/02/2019.
The Threshold Guide (9 January 2018) still applies.
Updated 30/11/2021.
Next review: 30/11/2028.
Children born in 2015 start school.
Babies born before 28 weeks need more.
Date of birth is asked for on page 2.
Ask for the date of birth and the address.
The date of birth must be written as day, month, year.
Ofsted visited on 14 February 2019.
The Annual Report, 12 May 2020, is out.
The Neglect Strategy (1 June 2021) was renewed.
Working Together, 15 December 2023, says so.
The Orchard Centre, 4 March 2019: photographs.
Sam Lund, 5pm on Friday, in the hall.
Tegan Penhale (1 March 2027) leads the workshop.
Mira Okafor, 9 January 2027, on early help.
Between 1 April 2025 and 31 March 2026 calls rose.
Practice Week, 7/10/2024 to 11/10/2024.
School Attendance Guidance, 29/02/2024.
Since 3 May 2015 the law is clear.
On 21 August 2011 the county flooded.
World Mental Health Day, 10 October 2024.
The Domestic Abuse Bill (3 March 2020) was long.
Policy of 3.5.2015, replaced.
Term begins on 6 January 2027.
The birthday of the service is 1 April.
Births rose by 3% in 2025.
Coroner's Report, 14/02/2019, page 3.
Standards for Call Handling – 12/03/2022 – final.
Our Development Day, 13 October 2020, is well remembered.
The Family Hub was opened on 2 May 2022.
A stillborn lamb was found in 2015.
""".strip().splitlines()
_PHONES = """
Ring our desk on 01632 960 100.
Ring +44 1632 960100 by day.
Our desk: (01632) 960100.
In an emergency ring 999.
Ring 101 when it can wait.
NHS 111 is open all night.
Ring 0808 157 0100, free of charge.
The national line is 0808 157 0199.
Ring 0300 123 0000 for the council.
Text 60777 to stop.
The line 116 123 is always open.
Ring 0800 1111.
Extension 4512 is the front desk.
The fax 01632 960 100 is gone.
Fees: 0345 601 0000 is charged as local.
Call 0370 000 0000 for large print.
Premium numbers such as 0900 123 0000 are blocked.
Pages 0163 to 0296 are new.
Between 01/03/2027 and 31/03/2027 the office is closed.
Ring 112 anywhere in Europe.
Press 0 and then 44.
The sum of 01632 and 960 is 2592.
The list has 07700 entries.
Dial 1471 afterwards.
The reading was 0.1632960143 in all.
Meter 0163296 was read.
From 07:00 to 19:00, 0 calls.
The total, 020,794,601, is wrong.
Call our line 01632\u00a0960\u00a0100 at any hour.
See 0191 on the map and 0498 in the list.
""".strip().splitlines()
_PLACES = """
The office is at 1 Guildhall Street, Larkmere, LK1 1AA.
Come to the Boathouse, Quay Street, Larkmere.
Postcodes from LK1 to LK9 are covered.
The postcode LK1 2AB has a new surgery.
Mill Lane is closed until May.
12 agencies met in Orchard Road.
The bus stops at 7 places, Orchard Road among them.
Houses in LK3 4DE flooded.
The library in Station Road has moved.
45 people came to Boathouse Way.
3 The report is on page 12.
See 12 Angry Men at the Lakeside Theatre.
5 Mill Lane was the name of a song.
Sessions at 10 and 12 in Larkmere Park.
Areas: LK1, LK2 and LK14 5.
Larkmere Town Hall, LK1 3XY, has a lift.
Road works in LK2 7HJ end soon.
The ward of Long Meadow has 4,512 homes.
Flat rates apply.
Between Quay Street and Mill Lane, LK1 9FG, it is dark.
School Lane Surgery takes new patients.
Stand 14, Hall B, Larkmere Expo.
9 in 10 people in Lakeside Terrace agree.
St Anne’s Close is not far.
22 Ferry Court tenants signed.
""".strip().splitlines()
_MAILS = """
Write to newsletter@example.org.
Write to desk@news.example.org today.
Ask training@example.org for a place.
NEWS@EXAMPLE.ORG reads it.
Send it to the.editor@example.org, please.
Write to training@larkmere-council.example.
Ask front.door@police.example.com for the form.
The address ends in @example.org.
Write to us at the usual address.
Use the form on gmail.com's help page.
Follow us @larkmere.
Prices @ £4 each.
Mail to postmaster@example.org is read.
Do not write to noreply@example.org.
The domain example.org is ours.
hubs@families.example.org has places.
Twitter: @LarkmereSP
Ask the editors (news@example.org).
Email: bookings@example.org
Outlook.com and Gmail cut long mails short.
""".strip().splitlines()
_PROSE = """
Sam Lund will be leaving his role in May.
Tegan Penhale, a practitioner, wrote the guide.
A mother of three said that she was heard.
Mira is eight, and a made-up child.
The girl in the case study is not real.
We would like to thank Owen Marsh-Gill.
The child’s own words were missing.
Her school was told, and her nurse.
Bethan Price, Policy officer, has the draft.
A family of five moved between two districts.
Nobody’s name is in the review.
The review is called “Rowan”.
Practitioners heard what children want.
Six in ten said yes.
The youngest was two, the oldest ninety.
Her worker changed three times in a year.
They live in the north of the county.
An adult with care needs was let down.
A teacher rang, and then wrote.
Read it aloud to somebody.
Families come first.
We meet on Mondays at ten.
Please share this widely.
It is warm in the Boathouse.
The lake is low this year.
Thank you for reading.
Good records are short, dated and fair.
The next issue comes in March.
Nothing else has changed.
That is all for this quarter.
""".strip().splitlines()

NEGATIVES: tuple[str, ...] = (*_NUMBERS, *_LETTERS, *_DATES, *_PHONES, *_PLACES, *_MAILS, *_PROSE)
