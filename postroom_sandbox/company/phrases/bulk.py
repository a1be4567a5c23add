"""Mail that no person typed: newsletters, notices, absence replies, bounces and the odd scam."""

# ruff: noqa: E501 - a phrase reads better on one line
# fmt: off

from __future__ import annotations

# sender, list id, subjects, openers, items
NEWSLETTERS = (
    ("Intralog Weekly", "news@intralog-weekly.example", "intralog-weekly.example", "#0b5c57",
     ("{headline}", "This week: {headline}", "Intralog Weekly {week}: {headline}"),
     ("Robots that do not bump into people", "Why {num} % of returns never reach a shelf", "The quiet comeback of the forklift", "Pallet prices rise for the {ordinal} month", "What {officecity} learned from its strike", "Batteries: hot swap or long life?", "Inside a warehouse without light", "Carriers agree on one label, nearly", "The cost of an empty mile", "Cold chain rules change in {month}", "How to count stock without closing", "Goods-in is the new bottleneck"),
     ("Researchers followed forty pickers for a month. The fastest walked least, and nobody was surprised except the software.", "A survey of {qty} sites shows that most errors happen in the first hour after a shift change.", "The new rule applies from {start}. Our checklist has nine points and fits on one page.", "Three operators tell what they would do differently. Two of them mention Wi-Fi.", "Wood is scarce again. Plastic pallets pay for themselves after about {num} rounds, says a study from {officecity}.", "A small trick with coloured tape saved one reader {num} minutes a day.")),
    ("The Scan", "hello@thescan.example", "thescan.example", "#7a3b00",
     ("The Scan: {headline}", "{headline} (and a chart)", "{headline}"),
     ("One number about labels", "The barcode turns {num}", "QR codes on the kitchen floor", "Does RFID pay now?", "A history of the beep", "Ink, heat and other enemies", "Printing on frost", "The check digit, explained with socks"),
     ("We measured {qty} scans under three kinds of light. The cheapest lamp won.", "Most unreadable labels are readable. It is the angle, as a test with {num} devices shows.", "If you only change one thing this {month}, clean the print heads.", "Reader question: may a label be round? It may, and there is even a standard for it.", "Our chart of the week shows the price of a tag since 2003.")),
    ("Officefolk", "team@officefolk.example", "officefolk.example", "#5b2a86",
     ("Your order of {num} notebooks", "{num} % off standing desks until {day}", "New: chairs that remember you", "Back in stock"),
     ("Quiet keyboards for loud offices", "Desks that go up", "Everything for {month}", "Paper, but better"),
     ("Free delivery in {officecity} for orders above 60.", "Rated {num2} out of five by people with backs.", "Made of old fishing nets, smells of nothing.", "Return it within a hundred days if it squeaks.")),
    ("Rail & Road Tickets", "offers@railandroad.example", "railandroad.example", "#163d7a",
     ("{officecity} from 29, if you book early", "Your points are about to expire", "Night trains are back"),
     ("Nine cities by night", "The {month} timetable", "Work on the train, properly"),
     ("Book until {day} and travel in {month}. Seats by the window go first.", "You have {qty} points. They are worth a coffee, or two without milk.", "New direct trains between {officecity} and Bremen, twice a day.")),
    ("Guild of Logistics Professionals", "events@logisticsguild.example", "logisticsguild.example", "#8a1c1c",
     ("Invitation: evening in {officecity} on {day}", "Call for speakers", "Webinar: {headline}"),
     ("Slots, docks and nerves", "Forecasting with bad data", "People first, then robots", "Certification in {month}"),
     ("An evening with {num} colleagues, two short talks and long tables. Members bring a guest.", "Tell a story of something that went wrong. Fifteen minutes, no product names.", "The next exam takes place in {officecity} in {month}. Last date to register is {day}.")),
)

# sender, address, subjects, bodies, attach ("invoice", "")
NOTICES = (
    ("Cloudstash Billing", "billing@cloudstash.example", ("Your invoice {invoice} is ready", "Receipt for {month}"), ("Your subscription was renewed on {day}. The amount of {small} will be charged to the card ending in 41{num}.\n\nThe invoice is attached. You need not do anything.",), "invoice", ("ruth", "diego")),
    ("ParcelTrail", "no-reply@parceltrail.example", ("Parcel {delivery} arrives {day}", "Delivered: {delivery}"), ("Your parcel {delivery} from Northwind Depot will be delivered on {day} between {hour}:00 and {hour2}:00.\n\nContents: {num} x Scout 2, {num2} x cradle.", "Parcel {delivery} was handed over at {hour}:12 to the reception at {site}."), "", ("oscar", "ben", "adele")),
    ("BuildBell", "alerts@buildbell.example", ("[harbor-core] build {num}{num2} failed on main", "[print-agent] deploy of {release} finished"), ("harbor-core · main · {hour}:07\n\n1 of {qty} tests failed: test_wave_releases_in_expiry_order\n\nLast change: 'Prefer reserve only when the pick face is empty' by Diego Santos", "print-agent {release} is live in both regions. {num} instances, {num2} minutes, no errors."), "", ("diego",)),
    ("Planta Rooms", "rooms@planta.example", ("Booked: Room Thames, {day} {hour}:00", "Room change on {day}"), ("Your booking is confirmed: Room Thames, {day}, {hour}:00 to {hour2}:00, {num2} seats. The screen works again.", "Room Tagus is being painted on {day}. We have moved your meeting at {hour}:00 to Room Nile, same floor."), "", ("gita", "mara", "hanna")),
    ("Signet", "no-reply@signet.example", ("{contact} has signed '{company} agreement'", "Waiting for your signature: {company} agreement"), ("{contact} ({company}) has signed. All parties have now signed; the sealed copy is attached.", "Mara Lindqvist asks you to sign '{company} agreement' ({num} pages). It takes about two minutes."), "invoice", ("mara", "adele", "theo", "camille")),
    ("Talentboard", "jobs@talentboard.example", ("{num} people have seen your advertisement", "Your advertisement '{role}' ends on {day}"), ("'{role}' was opened {qty} times this week, {num2} people went on to your page. Advertisements with a salary are opened twice as often.",), "", ("jobs",)),
    ("Harbor Status", "status@northwind.example", ("[Resolved] Delayed label jobs in region 2", "[Notice] Maintenance on {day}, 22:00"), ("Between {hour}:05 and {hour}:31 label jobs in region 2 were delayed by up to four minutes. No job was lost. Cause: a full disk on one of three print queues.", "On {day} from 22:00 to 23:00 we maintain the database of region 2. Handhelds keep working, web pages are read-only."), "", ("support", "oscar", "diego")),
)

ABSENCE = {
    "en": ("Automatic reply: {subject}", ("Thank you for your mail. I am out of the office until {day} and read mail only now and then.\n\nIn urgent cases please write to {other}.", "I am away until {day}, without a computer, on purpose. {other} knows about everything that is under way.")),
    "de": ("Automatische Antwort: {subject}", ("Vielen Dank für Ihre Nachricht. Ich bin bis {day} nicht im Haus. Ihre Mail wird nicht weitergeleitet.\n\nIn dringenden Fällen wenden Sie sich bitte an {other}.",)),
    "fr": ("Réponse automatique : {subject}", ("Merci pour votre message. Je suis absente jusqu'au {day}.\n\nEn cas d'urgence, merci de contacter {other}.",)),
    "es": ("Respuesta automática: {subject}", ("Gracias por su mensaje. Estaré fuera de la oficina hasta el {day}.\n\nPara asuntos urgentes, escriba a {other}, por favor.",)),
    "pt": ("Resposta automática: {subject}", ("Obrigado pela sua mensagem. Estou ausente até {day}.\n\nEm caso urgente, contacte {other}, por favor.",)),
    "ja": ("自動返信：{subject}", ("ご連絡ありがとうございます。{day}まで不在にしております。\nお急ぎの場合は {other} までご連絡ください。",)),
    "ar": ("رد تلقائي: {subject}", ("شكراً لرسالتكم. أنا خارج المكتب حتى {day}.\n\nللأمور العاجلة يرجى مراسلة {other}.",)),
}

JUNK = (
    ("Mr. Barrister Colm", "colm.legal4471@freebox.example", "Kindly confirm your inheritance", "Dear beneficiary,\n\nI write in respect of the estate of a late client who bears your family name. The sum is held in consignment and I need only your full address, a copy of your passport and a small fee for the courier."),
    ("HR Portal", "notice@hr-portal-secure.example", "Your payslip could not be delivered", "Your payslip for this month could not be delivered because your mailbox is almost full.\n\nVerify your account within 24 hours to avoid suspension."),
    ("SEO Growth", "anna@rank-first.example", "I found 14 errors on your website", "Hi,\n\nI was looking at your website and noticed several errors that keep you from page one. May I send a free audit? Most of our clients see results in 30 days."),
    ("Pallet King", "sales@pallet-king.example", "10,000 used pallets, must go this week", "Dear purchasing,\n\nwe have 10,000 used euro pallets, class B, ex works. First come, first served. No reply needed if not interested."),
    ("Parcel Desk", "info@parcel-desk-uk.example", "Customs fee of 1.99 outstanding", "Your parcel is being held at our depot. Pay the outstanding customs fee of 1.99 to release it. If the fee is not paid within 48 hours the parcel is returned."),
    ("Invoice Dept", "accounts@supplier-portal.example", "Change of bank details", "Dear partner,\n\nplease note that our bank details have changed. Kindly pay all future invoices to the new account in the attached letter and confirm by return."),
)

BOUNCE_REASONS = (
    ("5.1.1", "550 5.1.1 The email account that you tried to reach does not exist", "The address was not found. Check the spelling, or remove it from your address book."),
    ("5.2.2", "552 5.2.2 Mailbox full", "The recipient's mailbox is full and cannot take messages now. Try again later, or reach the person in another way."),
    ("5.7.1", "550 5.7.1 Message rejected due to content policy", "The recipient's system refused the message because of its content policy."),
    ("4.4.7", "451 4.4.7 Message delayed and expired", "The recipient's server could not be reached for two days. We have stopped trying."),
)
