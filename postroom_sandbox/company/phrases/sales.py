"""Deals: from the first question to the signed order, or to nothing."""

# ruff: noqa: E501 - a phrase reads better on one line
# fmt: off

from __future__ import annotations

# kind of deal -> subject lines, what the customer needs, what is sold: (line, unit price, quantity range)
DEALS = (
    {
        "kind": "handhelds",
        "subjects": ("More handhelds for {site}", "Scout handhelds for the night shift", "{qty} additional scanners, {site}",
                     "Scanner refresh {year}", "Replacing our old scanners at {site}"),
        "needs": (
            "We are adding a [second|late] shift at {site} from {start} and will be short of about {qty} handhelds.",
            "The scanners at {site} are [five|six] years old and we lose [two|three] a month to broken triggers. I would like to replace {qty} of them before {start}.",
            "Peak season is coming and our people at {site} are sharing scanners. We need {qty} more units [on the floor|in hands] by {start}.",
            "Our inventory count took [eleven|nine] hours last month because half of the devices were on charge. {qty} more would let every picker have one.",
        ),
        "lines": (("Scout 2 handheld", 489, (12, 60)), ("Charging cradle, 4 slots", 145, (3, 15)), ("Device care, 36 months", 79, (12, 60))),
    },
    {
        "kind": "rollout",
        "subjects": ("Harbor for our new site in {site}", "{site}: going live on Harbor", "New warehouse in {site}, timing and price",
                     "Opening {site} in {quarter}", "Warehouse software for {site}"),
        "needs": (
            "We have signed the lease for a [second|third] warehouse in {site} and want it on the same system as the first from day one.",
            "{site} still runs on spreadsheets. After the [audit|stock write-off] in spring the board asked me to bring it onto Harbor by {start}.",
            "The operator who runs {site} for us stops at the end of {quarter}. We take it over ourselves, with {qty} people and about {sku} articles.",
            "We are moving returns to a building of its own in {site}. It needs goods-in, grading and putaway, but no shipping at first.",
        ),
        "lines": (("Harbor subscription, per user and year", 312, (15, 80)), ("Site set-up and go-live", 9800, (1, 1)), ("On-site training, day", 1150, (2, 6))),
    },
    {
        "kind": "renewal",
        "subjects": ("Renewal terms for {nextyear}", "Our Harbor contract ends on {end}", "Renewal {nextyear}: options", "Extending the agreement beyond {end}",
                     "Contract renewal, {qty} users"),
        "needs": (
            "Our agreement runs out on {end}. Before I put the renewal into the budget I would like to see [one and three year|two and three year] options side by side.",
            "Finance has asked me to confirm every subscription above {threshold} by the end of the month, and yours is on the list.",
            "We are [happy|content] with Harbor, but the number of users has changed: {qty} instead of what is in the contract. Please quote the renewal on that basis.",
            "I would rather not leave the renewal to the last week as we did [last year|two years ago]. What do you need from us to have terms by {start}?",
        ),
        "lines": (("Harbor subscription, per user and year", 298, (20, 140)), ("Premium support, year", 6400, (1, 1))),
    },
    {
        "kind": "printers",
        "subjects": ("LabelPress printers for the packing stations", "Label printers: {qty} more stations", "Quote for LabelPress 300",
                     "Moving to 300 dpi labels", "New packing line in {site}"),
        "needs": (
            "Our carrier will refuse 203 dpi labels from {start}, so {qty} packing stations need printers that do 300.",
            "We are rebuilding the packing line in {site}: {qty} stations, each with a printer and a small screen.",
            "A customer now wants their own carton label with a picture on it. The old printers take [nine|seven] seconds for one, which is too long.",
            "Could you let me have a price for {qty} LabelPress 300 including ribbons for about {sku} labels a month?",
        ),
        "lines": (("LabelPress 300", 1190, (4, 24)), ("Ribbon, box of 12", 96, (4, 40)), ("Installation per station", 85, (4, 24))),
    },
    {
        "kind": "connector",
        "subjects": ("Connecting Harbor to our ERP", "ERP connector: what is possible?", "Stock levels in the web shop, live",
                     "Interface questions before we decide", "Automatic booking of goods receipts"),
        "needs": (
            "We key goods receipts twice, once in Harbor and once in the ERP. Two people spend [half a day|three hours] on it, every day.",
            "Our web shop shows stock from the night before and we oversold {qty} orders during the [spring|summer] sale. We want it live.",
            "IT is replacing the ERP by {start} and asks which interfaces you offer out of the box, and which would be a project.",
            "Is there a standard way to get picks and shipments out of Harbor into our finance system? We would start with {site}.",
        ),
        "lines": (("ERP connector, year", 5400, (1, 1)), ("Mapping workshop, day", 1250, (2, 5)), ("Test environment, year", 1800, (1, 1))),
    },
    {
        "kind": "docks",
        "subjects": ("Dock scheduling at {site}", "Lorries queueing at {site}", "Dock Scheduler trial", "Time slots for carriers",
                     "Booking slots instead of phone calls"),
        "needs": (
            "On a [normal Monday|bad day] we have {qty} lorries for six doors and the queue reaches the main road. The council has written to us.",
            "Carriers ring the gatehouse to ask for a slot. We would like them to book [it themselves|online] and be told when a door is free.",
            "Waiting charges at {site} came to {threshold} last quarter. If Dock Scheduler saves a third of that it pays for itself.",
            "We saw Dock Scheduler at [the Hanover fair|the logistics forum] and would like to try it on two doors before we talk about all of them.",
        ),
        "lines": (("Dock Scheduler, per door and year", 640, (4, 18)), ("Set-up and carrier onboarding", 3200, (1, 1))),
    },
)  # fmt: skip

INQUIRY = (
    ("[I hope you are well.|Hope all is well in London.|It was good to meet you at the user day.|Following up on our chat last week.]", "", ""),
    ("{need}",),
    (
        "Could you [send me|let me have] an idea of price and lead time? A range is fine for now; we need to know [which budget|whose budget] it falls into.",
        "What would you recommend, and what have [similar|other] customers done? I would rather hear it from you than read [another brochure|a brochure].",
        "Is this something we could talk through [this week|next week]? I have {day} [morning|afternoon] free, and Thursday after two.",
        "Please tell me what you need from our side to put a proposal together. I can send the floor plan and last year's volumes.",
        "I am comparing [two|three] options and will decide by {start}. If you are interested, a short call would help us both.",
    ),
)

# the n-th question is answered by the n-th answer
QUESTIONS = (
    "- How many people will use it at the same time, on the busiest day?\n- Who decides on your side, and by when?\n- Is there anything that must not change, for example label formats or the ERP?",
    "- What volumes do you expect in the first year, roughly?\n- Is the wireless network in {site} new, or shared with the offices?\n- Would you want to start with one area or everything at once?",
    "- Which systems does it have to talk to on day one?\n- How is it done today, and what hurts most about it?\n- Is the budget for {year} or {nextyear}?",
    "Two questions: does IT on your side have time for it before {start}, and is there an existing contract we should be aware of?",
)

ANSWERED = (
    "- About {qty} people, never more than two thirds of them at once\n- {boss} signs; I prepare the decision\n- The label layout must stay, our customers scan it",
    "- Around {sku} lines a month, twice that in [November|December]\n- The network is new, IT surveyed it in the summer\n- I would start with goods-in and add picking after [four|six] weeks",
    "- Only the ERP at first, the web shop can wait\n- Today it is paper and one spreadsheet that only [one colleague|two people] can repair\n- Budget is {year} if we order before {start}, otherwise it slips",
    "IT can give us [one person|two people] for three weeks. The only other contract is for the old hardware and it ends anyway.",
)

TECH_ASKED = (
    "- Where is the data stored, and who at Northwind can see it?\n- Do you support single sign-on with our directory?\n- What happens on the floor if our line to the internet is down?",
    "- Which ports and host names do the handhelds need?\n- Can we get an export of everything, at any time, without asking you?\n- How are updates announced?",
    "- Is there a test environment we can break?\n- What is the recovery time you commit to, and has it been [tested|measured]?\n- Do you have an API limit, and what happens when we reach it?",
    "- Can printers stay on our own print server?\n- Are the batteries of the handhelds replaceable by us?\n- Who does the backups, and where are they kept?",
)

TECH_ANSWERED = (
    "- Data is kept in Frankfurt and Dublin. Four people in operations have access, every access is logged and you can see the log.\n- Single sign-on works with any OpenID Connect provider.\n- Without a line the handhelds keep working for [eight|ten] hours and send everything when they are back.",
    "- One host name, port 443, nothing else. I can send it for your firewall.\n- Yes: a nightly export to your own storage, or on demand. It is your data.\n- Release notes come two weeks ahead and you choose the night.",
    "- A test environment is included in the first year, a copy of yours without the personal data.\n- Four hours, last rehearsed in [March|September]; the report is attached.\n- 600 calls a minute. Above that you get a clear answer to wait, nothing is lost.",
    "- Yes, the print server stays. We only need to reach it from the packing stations.\n- Batteries are changed without tools and we keep them for seven years.\n- Backups are ours, hourly, in a second region, and we restore one every month to be sure.",
)

DISCOVERY = (
    (
        "Thank you for [thinking of us|getting in touch|the clear description]. That is a situation we know [well|from other sites], and I think we can help.",
        "Thanks for this, {first}. Short answer: yes, and {start} is realistic if we get going this month.",
        "Good to hear from you. Before I send figures that turn out wrong, three things I would like to understand:",
        "Thanks for the details. I have asked {colleague} to look at it with me, because he has done [two|a few] sites like yours.",
    ),
    ("{questions}",),
    (
        "If it is easier to talk, I am free {day} at {hour}:00 or the day after until noon.",
        "How about half an hour on {day}, {hour}:00? I will send an invitation and you move it if it does not suit.",
        "Happy to do this by mail or on a call, whichever you prefer.",
        "Once I know that, you will have a proposal within two working days.",
    ),
)

ANSWERS = (
    (
        "Thanks for the quick answer. In the order you asked:",
        "Here is what I could find out:",
        "[Of course|Sure]. See below, and ask if something is not clear.",
        "I checked with the team. Answers from my side:",
    ),
    ("{answers}",),
    (
        "{day} at {hour}:00 works. Please invite {boss} too.",
        "Let us talk on {day} then. I will bring {other}, who runs the floor.",
        "No need for a call yet, I think. Send me the numbers and we talk when I have shown them to {boss}.",
        "I am travelling until Wednesday, {other} is your contact until then.",
    ),
)

RECAP = (
    (
        "Thank you both for your time [today|this morning]. What I took away:",
        "Good conversation just now. Let me put down what we agreed, so that nobody has to remember it:",
        "As promised, a short summary of our call:",
        "Thanks for showing me round {site}. It is rare to see [goods-in|a packing area] that tidy. My notes:",
    ),
    (
        "- Start with one area, the rest follows after [four|six] weeks\n- {boss} needs the figures for the meeting on {meeting}\n- Go-live no later than {start}",
        "- {qty} users or devices, with room for a fifth more\n- Training on site, in two groups, so that the shift keeps running\n- Label formats stay exactly as they are",
        "- The old system stays readable for one year\n- {other} is the key user and joins the weekly call\n- We confirm the lead time by the end of the week",
        "- Price per year rather than up front, if the sum stays below {threshold}\n- {colleague} sends the network checklist\n- Decision on your side by {meeting}",
    ),
    (
        "The slides are attached. I will send the proposal by {day}.",
        "You will have the quotation on {day}. If I have misunderstood anything, please tell me before that.",
        "{colleague} (in copy) will contact {other} about the technical points.",
        "I attach the [one-page overview|two-page summary] for {boss}.",
    ),
)

TECH_QUESTIONS = (
    (
        "[Quick one|A few points] from our side before we go further:",
        "I looked at this with a security hat on. Questions:",
        "Our IT committee has a standard list. The ones I could not answer from your documents:",
        "{first}, I am {boss}'s colleague in IT and was asked to check the technical side.",
    ),
    ("{tech_questions}",),
    ("If you have this in a document already, the link is enough.", "We need this for the meeting on {meeting}.", "Thanks in advance.", ""),
)

TECH_ANSWERS = (
    (
        "Good questions, thank you. {colleague} and I went through them:",
        "Happy to answer these:",
        "Please find the answers below; the long version is in the attached document.",
        "Thanks for having a close look. In short:",
    ),
    ("{tech_answers}",),
    (
        "Does this cover it? Otherwise let us take twenty minutes on {day}.",
        "If {boss} needs it in another form for the committee, tell me and I will adapt it.",
        "{colleague} is available for a technical call whenever it suits you.",
        "",
    ),
)

QUOTE = (
    (
        "As discussed, please find our quotation {quote} attached.",
        "Here is the proposal I promised, quotation {quote}.",
        "Quotation {quote} is ready and attached to this mail. The main figures:",
        "I have put the numbers together (quotation {quote}, PDF attached):",
    ),
    ("{table}",),
    (
        "The total is {total}, valid until {valid}. Delivery takes [three|four|five] weeks from your order.",
        "That comes to {total}. It includes delivery and stays valid until {valid}.",
        "In all {total}. If you order by {valid}, {start} is safe.",
        "Together {total}, payable in [two instalments|30 days]. The price holds until {valid}.",
    ),
    (
        "I know the set-up looks [large|high] next to the rest; it covers two days on site and the first month of hand-holding.",
        "If the budget is the difficulty, tell me. There are things we can move into {nextyear}.",
        "Happy to go through it with you and {boss}.",
        "",
    ),
)

NEGOTIATION = (
    (
        "Thank you for the proposal. We like the solution; the price is [above|higher than] what {boss} expected.",
        "I presented this yesterday. The general feeling is positive, with two conditions.",
        "We have another offer that is [about 12 %|roughly a tenth|8 %] lower. I would prefer to stay with you, so let me be open about it.",
        "The board agreed to the [three-year term|plan] if the [uplift stays under 4 %|price can be held for two years].",
    ),
    (
        "Could you do {discount} % if we commit to three years? Then I can close it this week.",
        "Would you take the training out and give us [the recordings|two remote sessions] instead? We have done this before.",
        "Can the start move to {start}? {boss} needs it for the meeting on {meeting}.",
        "Payment in [four|two] instalments would help us more than a discount, to be honest.",
        "What would it cost if we took {qty} now and an option for the rest at the same price?",
    ),
    ("I need an answer by {meeting}, please.", "Let me know what is possible.", "Do you have ten minutes on {day}?", "Thank you for your understanding."),
)

REVISED = (
    (
        "Thank you for being open about it. I spoke to {manager} and we can meet you.",
        "Understood, and thank you for the chance to match it.",
        "Good news: we found a way.",
        "I have reworked the proposal along those lines.",
    ),
    (
        "With a three-year term the total becomes {newtotal}, which is {discount} % below the first version. The start date moves to {start}.",
        "We can hold {newtotal} if the order reaches us by {valid}. The option for further units stays open for twelve months at the same price.",
        "The revised total is {newtotal}. I replaced the on-site days with [two|three] remote sessions, and {colleague} records them for new starters.",
        "{newtotal}, payable in [two|four] equal parts. Everything else stays as it was.",
    ),
    (
        "The order form (version 2) is attached. It needs [one signature|{boss}'s signature] on page 3.",
        "Attached is the revised quotation {quote}-2. If this is what you need, a reply with your order number is enough.",
        "Please find the updated form attached. Shall I keep {day} free in case {boss} has questions?",
    ),
)

LEGAL = (
    (
        "Our counsel has [two comments|one comment] on section [7|9|4] of the agreement, see the attached mark-up.",
        "Legal came back. Nothing dramatic, but they will not let me sign before it is settled:",
        "On the data processing agreement: our counsel would like to see the following changed.",
    ),
    (
        "- Notice of new sub-processors 30 days ahead, not 14\n- Liability capped at [twice|three times] the yearly fee instead of once\n- Jurisdiction as in our framework contract",
        "- Deletion of our data within 30 days after the end, confirmed in writing\n- The audit clause should not be limited to once [a year|every two years]",
        "They ask that the security annex names the [certificate|standard] and its date, and that notice periods are counted in working days.",
    ),
    ("Can you live with that?", "If your side agrees I can have it signed on {day}.", "I realise this comes late, sorry."),
)

LEGAL_ANSWER = (
    (
        "No need to apologise, this is what counsel is for. We agree to [all of it|everything but one point].",
        "I went through it with {manager}. Thirty days is fine, so is the certificate; on liability we can go to twice the fee.",
        "Thank you, these are fair. The clean version with the changes accepted is attached.",
    ),
    ("If that closes it, I will send the final form for signature [today|this afternoon].", "Let me know whether your counsel is content and I will prepare the final copy.", ""),
)

SIGNED = (
    (
        "Please find the [signed|countersigned] order form attached. Our order number is {po}, please put it on the invoice.",
        "{boss} signed this [morning|afternoon]. The form is attached, order number {po}.",
        "We are go! Signed order attached ({po}).",
        "As agreed: order {po}, see attachment. Invoices to accounts payable, not to me.",
    ),
    (
        "Looking forward to working with {colleague} on it. Who contacts whom about the dates?",
        "Please confirm the delivery date so that I can plan the [shift|people].",
        "Thank you for your patience over the last weeks.",
        "Please make sure the kick-off is before {start}.",
    ),
)

WELCOME = (
    (
        "Thank you, {first}, that is [very good|great] news! I have booked order {po} and you will get the confirmation [today|within the hour].",
        "Received, with thanks. We are glad to have you on board for this one.",
        "Thank you for the order and for the trust behind it.",
    ),
    (
        "{colleague} takes it from here and will propose dates for the kick-off. I stay your contact for everything commercial.",
        "Next step is the kick-off with {colleague}; I suggest {day} at {hour}:00 and have sent an invitation.",
        "The devices ship in [two|three] lots, the first in the week of {start}. {colleague} is in copy and runs the project.",
    ),
    ("A first checklist is attached.", "Until then, could you send us the list of users?", "", "If anything does not go the way you expect, call me."),
)

CHASE = (
    (
        "I wanted to ask whether you had a chance to look at the quotation.",
        "Just a short note on {quote}: it is valid until {valid}, and I would not like the date to slip by unnoticed.",
        "Has {boss} come to a decision? If something is missing on our side, tell me and I will mend it.",
        "I have not heard from you and assume other things came first. Is this still on for {quarter}?",
        "No pressure at all. I would only like to know whether to keep the delivery slot for you.",
    ),
    ("", "A one-line answer is plenty.", "If the answer is no, that is all right too; it helps me plan.", ""),
)

LOST = (
    (
        "Thank you for your patience. We have decided [not to go ahead|to go another way] this time.",
        "I am sorry to say that {boss} has stopped the project for this year.",
        "We chose the other offer in the end. It was close.",
        "The budget went to the roof of {site}, literally. We will have to come back to this in {nextyear}.",
    ),
    (
        "It was not about you; the product was the favourite of everyone on the floor. The difference in price over three years decided it.",
        "The main reason was timing. We could not free the people before {start}.",
        "Please keep the quotation on file. I expect to raise it again in spring.",
        "Your proposal was the clearest of the three, I would like you to know that.",
    ),
)

LOST_ANSWER = (
    (
        "Thank you for telling me so plainly, it is appreciated.",
        "A pity, but I understand. Thank you for taking us so far.",
        "Thanks for letting me know. May I ask what we could have done differently? It would stay between us.",
    ),
    ("I will write again in [spring|the new year], if that is all right with you.", "Should the plan change, you know where to find me.", "All the best for the project."),
)

KICKOFF = (
    (
        "I am the consultant for {site} and will be [on site|with you] from {start}.",
        "{rep} has handed over everything you discussed, so you do not have to explain it twice.",
        "Before the kick-off on {day} I would like to settle a few practical things.",
    ),
    (
        "- List of users with name, mail address and shift\n- A quiet room with power for the training\n- Somebody who can open the network cabinet",
        "- Floor plan with the location codes as they are painted on the racks\n- Ten sample labels of every kind\n- The name of the person who may say yes when I am standing there",
        "- Article list as CSV (the template is attached)\n- Opening hours of the gate, and whether I need safety shoes\n- Your ERP contact, two hours of their time",
    ),
    ("Would you send me what you have by {meeting}? It need not be complete.", "Most of it can wait, the first point cannot.", "See you soon!"),
)

KICKOFF_ANSWER = (
    (
        "Hello {first}, welcome to the project! The list is attached, three names may still change.",
        "All prepared. Safety shoes are required, we have some in size [42 to 46|40 to 45] if you travel light.",
        "Here comes the first half. {other} collects the rest and sends it on {day}.",
    ),
    ("The room is booked under your name from eight o'clock.", "Ask for {other} at the gate, there is no reception.", "The article list has about {sku} rows, I hope that is all right.", ""),
)

INVOICE = (
    (
        "Please find invoice {invoice} for order {po} attached.",
        "Attached is our invoice {invoice} ({newtotal}).",
        "Invoice {invoice} for the {kind} order is attached, with your reference {po}.",
    ),
    ("It is payable within 30 days to the account named on it.", "Payment terms are as agreed, 30 days net.", "If you need a different cost centre on it, tell me before Friday and I will reissue it."),
)

REMINDER = (
    (
        "Our invoice {invoice} over {newtotal} was due on {end}. It may have crossed with your payment; if so, please ignore this.",
        "A friendly reminder: invoice {invoice} is still open on our side.",
        "Could you tell me when we may expect payment of {invoice}? A copy is attached in case it went astray.",
    ),
    ("", "Please let me know if something about it needs correcting."),
)

PAID = (
    (
        "Sorry about that, it was waiting for a second approval. It is in [Thursday's|tomorrow's] payment run.",
        "Paid this morning, reference {invoice}. Apologies for the delay.",
        "The invoice had the wrong purchase order on it, we need {po}. Could you reissue it please?",
        "Thanks for the reminder. Our new system had parked it; released now.",
    ),
)

APPROVAL = (
    (
        "{company} ask for {discount} % on {quote} ({total}). They have [another offer|a second bidder] and decide by {meeting}.",
        "I need your blessing on {company}: {discount} % off for a three-year term.",
        "Where do we stand on the floor for {company}? {contact} is ready to sign if we give a little.",
    ),
    (
        "My view: give it, against the [term|reference]. They open [another site|{site}] next year and will need the same again.",
        "I would offer half of it and the training days. {contact} cares more about the date than the price.",
        "Margin is still [31|34|28] % with the support plan in. I do not want to lose this one over [a training day|the last two per cent].",
    ),
    ("Can we talk before noon?", "Okay for you?", "If I hear nothing by five I will go with the smaller number.", ""),
)

APPROVAL_ANSWER = (
    (
        "Fine with me up to {discount} %, not a point more, and only with the three years in writing.",
        "Go. But get the reference visit into the order form this time.",
        "Offer half, keep the rest in your pocket. And copy {finance} so that the invoice comes out right.",
        "Yes. Nice work, by the way; a year ago they did not return our calls.",
        "Let me think aloud: if they take the option as well, I would even do two more. Ask.",
    ),
)
