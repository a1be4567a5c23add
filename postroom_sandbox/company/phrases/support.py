"""Tickets: what breaks in a warehouse, what support asks, what it was, and how it ended."""

# ruff: noqa: E501 - a phrase reads better on one line
# fmt: off

from __future__ import annotations

PROBLEMS = (
    {
        "subjects": ("Label printer offline again", "Printer {station} prints nothing", "LabelPress shows offline since this morning"),
        "report": (
            "Since the update this morning the label printer at {station} shows offline. It is switched on and the network light is green.",
            "{station} stopped printing at about {hour}:20. Two other printers on the same switch are fine. We are writing labels by hand.",
        ),
        "ask": ("Does the printer get the same address after a restart? And could you send me the page it prints when you hold the feed button?", "Which version does the printer show in the menu under System, and is it on the packing network or on the office network?"),
        "tell": ("It says 4.1.2. The address ends in .{num}, yesterday it was .41.", "The self-test page is attached. It had a different address this morning, our network people say that is normal."),
        "fix": ("The printer had been given a new address and Harbor was still talking to the old one. I have switched it to look for the printer by name, so that this cannot happen again.", "Your network hands out addresses for eight hours only. I have entered the printer by its name; please restart {station} once and print a test label."),
        "category": "Printers",
    },
    {
        "subjects": ("Scanner does not read the new cartons", "Scan failures on supplier labels", "Handheld beeps but books nothing"),
        "report": (
            "The new cartons from our supplier have a glossy label and the Scout needs [five or six|four or five] attempts. Old cartons are fine.",
            "Since Monday every third scan in aisle {num} gives the error tone. The people think it is the light, I think it is the label.",
        ),
        "ask": ("Could you photograph one of the labels and send it, together with one that works?", "Is it all devices, or only some? If you can, try a device from another aisle on the same carton."),
        "tell": ("Photos attached. The left one works, the right one does not.", "All devices. When I hold it at an angle it reads at once."),
        "fix": ("The check digit on that label is wrong, so the scanner refuses it as it should. I have attached a short note you can forward to the supplier.", "The glare blinds the reader. I have raised the exposure in the device profile {profile}; it arrives on the devices within ten minutes."),
        "category": "Handhelds",
    },
    {
        "subjects": ("Stock differs between Harbor and the ERP", "Article {sku}: {num} pieces too many", "Quantities do not match after the night run"),
        "report": (
            "For article {sku} Harbor says {qty} and the ERP {num}. The shelf has {qty}. It is the third article this week.",
            "After the night run {num} articles differ by exactly the quantity of the last delivery. It looks as if it was booked twice.",
        ),
        "ask": ("Which delivery note was booked last for the article, and by whom? I can then follow it through the interface log.", "Was anything repeated by hand yesterday evening? I see two transfers {num} minutes apart."),
        "tell": ("Delivery {delivery}, booked by the late shift.", "Yes, the connection had dropped and my colleague started the transfer again to be safe."),
        "fix": ("Delivery {delivery} was sent twice because the first answer of the ERP was lost. The second booking is reversed, and since this release a repeated transfer is recognised and ignored.", "The ERP rounds the unit of this article (boxes to pieces). I corrected the mapping and rebooked the {num} articles; the list is attached."),
        "category": "Interfaces",
    },
    {
        "subjects": ("Cannot sign in after the holidays", "New colleague has no access", "Login loops back to the start page"),
        "report": (
            "{person} is back from leave and cannot sign in any more: the page comes back without a message.",
            "We have a new colleague, {person}, who starts on {day}. The account exists but the handheld says 'no site assigned'.",
        ),
        "ask": ("Does it happen in a private window as well? And what is the exact time of the last attempt?", "Which site and which role should the account have? I would copy them from a colleague if you name one."),
        "tell": ("Private window works! Last attempt was {hour}:42.", "Same as {other}, please, but without the right to write off stock."),
        "fix": ("The browser kept a session from before the change of your sign-in provider. Clearing the site data once solved it.", "{person} now has the same role as {other} except for write-offs. The handheld will show the site after the next sign-in."),
        "category": "Access",
    },
    {
        "subjects": ("Wave planning takes very long", "Picking list appears after minutes", "Harbor slow between {hour} and {hour2} o'clock"),
        "report": (
            "Releasing a wave took [four|six] minutes this morning, normally it is seconds. {num} pickers were standing around.",
            "Every day between {hour}:00 and {hour2}:00 everything is slow, then it is good again.",
        ),
        "ask": ("How many orders were in the wave, and did you change any of the sorting rules lately?", "Do you run the big stock report in that hour? I see a long query from a user called 'reporting'."),
        "tell": ("{qty} orders, and yes, we added a rule for dangerous goods last Thursday.", "Finance does, I did not know. Can it be moved?"),
        "fix": ("The new rule made the planner look at every location for every line. I have rewritten it; the same wave now takes [nine|eleven] seconds.", "The report now runs at night on a copy. I watched the next morning: releases take [two|three] seconds."),
        "category": "Performance",
    },
    {
        "subjects": ("Return of order {order} cannot be booked", "Returns: reason code missing", "Customer sent back more than we shipped"),
        "report": (
            "A customer returned {num} pieces of order {order}, we shipped one less. Harbor refuses to book it and the goods stand in the aisle.",
            "When booking returns we cannot choose 'damaged in transit' any more. It was there last week.",
        ),
        "ask": ("Is the extra piece yours, I mean, does it have one of your serial numbers?", "Who maintains the reason codes on your side? I see a change on {day} at {hour}:15."),
        "tell": ("The serial number belongs to order {order2}, same customer.", "That was our new quality manager. She says she only renamed it."),
        "fix": ("I linked the extra piece to order {order2}; both returns are booked. For the future there is a switch to allow this with a supervisor's badge.", "Renaming removed it from the mobile menu, which is our bug. It is back now, and the next release keeps renamed codes."),
        "category": "Returns",
    },
    {
        "subjects": ("Temperature log has a gap", "Audit tomorrow: missing cold chain data", "Sensor {station} silent for {num} minutes"),
        "report": (
            "The sensor at {station} has no readings between {hour}:05 and {hour2}:40 yesterday. The auditor will ask.",
            "We have an inspection on {day} and the temperature report is empty for one chamber.",
        ),
        "ask": ("Was the gateway without power in that time? The sensors keep {num} hours of readings themselves and may simply not have sent them yet.", "Which chamber is it, and do you see the sensor in the device list with a recent time?"),
        "tell": ("The electricians switched off the cabinet for a while, that could be it.", "Chamber {num}. It is listed but the time stands still since {day}."),
        "fix": ("I asked the gateway to fetch the stored readings: the gap is closed, the highest value was 4.6 degrees. The report is attached for your auditor.", "The sensor had lost its assignment after the battery change. It is assigned again and has delivered everything it had kept."),
        "category": "Cold chain",
    },
    {
        "subjects": ("Shipping labels with the wrong sender", "Carrier rejects our labels", "Postcode missing on labels to Switzerland"),
        "report": (
            "Labels for {site} print the sender address of our old warehouse. [Nine|Fourteen] parcels are on their way with it.",
            "The carrier sent back {num} parcels: 'routing code unreadable'. They were all packed at {station}.",
        ),
        "ask": ("Could you send me the tracking numbers of two or three of them?", "Is it only one carrier, or all of them? And when was the first one, as far as you can tell?"),
        "tell": ("{order} and {order2}, both from yesterday afternoon.", "Only the one. First on {day}, around {hour} o'clock."),
        "fix": ("The sender was stored per carrier contract and the new contract still had the old address. Corrected; I also found one more contract with it.", "The print head of {station} has a dead line right through the code. A spare head is on its way to you, delivery {day}; until then please use the neighbour."),
        "category": "Shipping",
    },
    {
        "subjects": ("Question about the API limit", "Export job fails with 'too many requests'", "How to read all movements since yesterday?"),
        "report": (
            "Our nightly export stops with 'too many requests' after about {qty} calls. It has worked for a year.",
            "We want to read all stock movements since the last call, without missing any and without reading everything. What is the best way?",
        ),
        "ask": ("Are you calling once per article? If so there is a list call that returns {qty} at a time.", "Do you keep the cursor that comes with the last page? That is the part most people overlook."),
        "tell": ("Once per article, yes. I did not know about the list.", "We use the date of the last run as filter. I suppose that is the mistake."),
        "fix": ("With the list call your export needs {num} requests instead of {qty}. I attached a short example in Python.", "Use the cursor from the last page instead of the date: it never misses a movement, even one that was booked late. Example attached."),
        "category": "API",
    },
    {
        "subjects": ("Handhelds lose the network in aisle {num}", "Wireless drops near the cold store", "Devices offline after the new racks were built"),
        "report": (
            "Since the new racks stand, devices lose the connection in aisle {num}. The picks arrive later, but people get nervous.",
            "Near the door of the cold store all Scouts go offline for a minute and come back.",
        ),
        "ask": ("Which channel do the access points use there? The menu Network > Survey on the device writes a log you can send us.", "Do the devices roam to another access point, or do they lose all of them?"),
        "tell": ("Survey log attached. Channel 1 everywhere, I am told.", "They lose all of them. The door is steel."),
        "fix": ("Three access points share one channel and shout each other down. The attached plan puts them on 1, 6 and 11; your network colleague can do it in ten minutes.", "An access point inside the cold store is what is missing. Until then I have set the devices to work offline for longer before they warn."),
        "category": "Network",
    },
    {
        "subjects": ("Invoice {invoice}: wrong number of users", "Charged for a device we returned", "Support plan on the invoice twice"),
        "report": (
            "Invoice {invoice} lists {qty} users, we have {num} in the system. Could you check please?",
            "We returned a Scout in {month} (return {delivery}) and still pay the device care for it.",
        ),
        "ask": ("I have asked Ruth in finance. Did you deactivate the users before or after the first of the month?", "Do you have the receipt of the carrier for the return?"),
        "tell": ("On the 29th, so before.", "Receipt attached, signed by your goods-in."),
        "fix": ("You are right, the count was taken a day early. Ruth has sent a corrected invoice; please ignore the first.", "The return was booked on the wrong customer. You receive a credit note for [four|three] months, with an apology."),
        "category": "Billing",
    },
    {
        "subjects": ("Expiry dates in the wrong order", "FEFO picks the newer batch", "Batch {delivery} should be blocked"),
        "report": (
            "Harbor sends pickers to the batch that expires in {month}, although an older one stands in the same aisle.",
            "Our supplier recalls batch {delivery}. How do we block it everywhere, including what is already picked?",
        ),
        "ask": ("Is the older batch in a location of the type 'reserve'? Those are only used when the pick face is empty.", "How many pieces are out already, roughly? I would like to check the list against yours."),
        "tell": ("Yes it is. So it is a setting?", "{num} pieces in {num2} orders, says my list."),
        "fix": ("It is: 'strict expiry order' for the article group. I have explained it step by step in the attached page; shall I switch it on for you?", "Batch {delivery} is blocked. {num} pieces in {num2} orders, the same as your list; the customers' addresses are in the attached file."),
        "category": "Batches",
    },
)

OPEN = (
    ("{report}",),
    (
        "Could somebody have a look, please? It is [not urgent|rather urgent], but it [costs us time|is in the way].",
        "How can we get round this until it is solved?",
        "I am at {phone} until {hour2} o'clock if you have questions.",
        "We can live with it today, not tomorrow.",
        "Photo attached.",
        "Thank you!",
    ),
)

AUTO_ACK = (
    "Thank you for writing to Northwind Support. We have opened ticket {ticket} and will answer within [four hours|one working day].\n\nPlease keep the number in the subject when you write about it again. If production stands still, call +44 20 5550 0160.",
)

QUESTION = (
    (
        "Thank you for the clear description. I can see it from here, at least in part.",
        "Sorry for the trouble. I have taken over your ticket.",
        "Thanks for reporting this. I have looked at the log of {station} and have a suspicion.",
        "That should not happen. Let us find out.",
    ),
    ("{ask}",),
    ("With that I can probably solve it today.", "Until then you can [print on the neighbour|book it at the desk], that works.", "I will keep an eye on it meanwhile.", ""),
)

REPLY = (("{tell}",), ("Does that help?", "Anything else you need?", "Sorry it took me a while, it was a busy [morning|shift].", "", ""))

NUDGE = (
    ("Is there any news? The [night shift|early shift] starts at {hour2} and asked me.", "Just pushing this up. It has happened twice more today.", "Hello, we are still waiting. Could you tell me where it stands?"),
)

INTERNAL = (
    (
        "Can you look at {ticket}? I have run out of ideas: {short}.",
        "{ticket} from {company} smells like the thing we had with [the other customer|the spring release]. Do you remember what it was?",
        "Need a developer's eye on {ticket}. The log says one thing and the customer's photo another.",
    ),
    ("I told them we answer by {hour2} o'clock.", "No rush, they have a workaround.", "It is {company}, so please be gentle with the estimate."),
)

INTERNAL_ANSWER = (
    (
        "Found it, the job runs twice when the first answer is late. Fix is in review, I would put it out tonight.",
        "That is the setting, not the code. See chapter 7 of the handbook, it even has a picture.",
        "Cannot reproduce it here with their data. Could you ask for the exact time, to the minute?",
        "Yes! Same as in spring. The switch is called strict mode, they have it off.",
    ),
)

SOLUTION = (
    ("Good news.", "I think we have it.", "Here is what it was.", "Thank you for your patience, this one took a little longer."),
    ("{fix}",),
    ("Please try it and tell me whether it holds.", "I leave the ticket open until {day} in case something comes up.", "If you agree I close {ticket}.", "Sorry again for the disruption."),
)

THANKS = (
    (
        "Works! Thank you for the quick help.",
        "Confirmed, it has been quiet since {hour} o'clock. You may close it.",
        "Great, that did it. The shift says thank you too.",
        "Perfect, and thank you for explaining what it was instead of just mending it.",
        "It works at {station}. We will watch the others until {day}.",
    ),
)

CLOSED = (
    ("Good to hear. I have closed {ticket}; answer to this mail at any time and it opens again.", "Thank you for the feedback, closing {ticket}.", "Wonderful. {ticket} is closed, and I have added it to our known issues so that the next person finds it faster."),
)
