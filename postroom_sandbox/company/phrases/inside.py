"""Mail among colleagues."""

# ruff: noqa: E501 - a phrase reads better on one line
# fmt: off

from __future__ import annotations

# who starts, whom they ask, and what: (subject, opening, answers)
TALKS = (
    ("mara", ("adele", "theo", "camille"), (
        ("Forecast for {quarter}", "Please update your deals before {day} noon, I build the forecast from what is there. Close dates in the past make us look silly.",
         ("Mine are done. {company} slipped to {nextquarter}, everything else holds.", "Updated. I moved {company} from commit to upside because {contact} has gone quiet.", "Will do tonight. Is the number with or without the renewals?")),
        ("Numbers before the board meeting", "The board meets on {meeting}. I need one line per deal above {threshold}: what has to happen, by when, and who does it.",
         ("Done, and one new one: {company}, {qty} handhelds. It may come faster than we think.", "Attached to each deal now. For {company} the honest answer is: {contact} has to come back from holiday first.", "Mine fit on a napkin, which is good or bad depending on how you look at it.")),
        ("{quarter}: where we stand", "We are {num} % behind plan for {quarter} with [five|six] weeks to go. I would rather know now than be surprised.",
         ("{company} alone would close half of that. I am seeing {contact} on {day}.", "I can pull one renewal forward if we help with the payment terms.", "Understood. No surprises from my side, but no miracles either.")),
    )),
    ("oscar", ("yuki", "nadia", "diego"), (
        ("Handover, week {week}", "Open over the weekend: {num} tickets, two of them from {company}. The printer one waits for a spare part, please do not promise a date.",
         ("I take the two from {company}, I know the site.", "Thank you. The spare part arrives on {day}, I asked again.", "Good. Phones are on my side until {hour2} o'clock.")),
        ("Tickets older than a week", "We have {num} tickets older than seven days. Let us go through them on {day} at {hour}:00; bring the ones you are stuck on.",
         ("{num2} of them are waiting for the customer. Can we close those after a reminder?", "The interface ones are one and the same cause, I will write it up.", "I bring the one from {company}. Bring coffee.")),
        ("On call over the holidays", "The rota for the holidays is in the calendar. Swap among yourselves, but tell me.",
         ("I can do the first night if somebody takes my Friday.", "Fine with me. My holidays are another week anyway.", "Swapped with Nadia for the second day, is that all right?")),
    )),
    ("diego", ("oscar", "ben", "adele", "mara"), (
        ("Release {release} on {day}", "Release {release} goes out on {day} at 21:00. New: strict expiry order per article group, printers by name, faster waves. The notes for customers are in the wiki.",
         ("Thank you, the customers at {company} will be happy about the waves.", "Is the fix for the double booking in it?", "Read the notes, they are clear. May I send them to {contact} today?")),
        ("Maintenance window on {day}", "We move the database of the second region on {day}, between 22:00 and 23:00. Handhelds keep working, the web pages will be read-only.",
         ("Can we tell {company} beforehand? They run a night shift.", "Noted. I will put it on the status page at noon.", "Could it be an hour later? {contact} has a go-live that evening.")),
        ("{release} is postponed", "{release} is postponed by two days: the returns screen forgets its filter and I do not want to ship that.",
         ("Good decision. I would rather explain two days than a bug.", "All right, I move the call with {company}.", "Thank you for telling us before the customers do.")),
    )),
    ("ruth", ("adele", "theo", "camille", "mara"), (
        ("Open invoices, {month}", "These customers are more than 30 days late: {company} ({total}), and two smaller ones. Could the owner give them a friendly call before I send the second reminder?",
         ("I called. The invoice was with the wrong department, it will be paid this week.", "{contact} says it was paid on the 12th. Could you check again?", "Please wait with the reminder until {day}, I am seeing them.")),
        ("Purchase orders missing", "I cannot invoice without an order number. Missing for: {company}. Please chase it, the month ends on {day}.",
         ("The number is {po}, sorry, it was in my inbox.", "{contact} sends it tomorrow, they have a new system.", "It is on page 2 of the order form, very small: {po}.")),
        ("Expenses until {day}", "Please hand in your expenses for {month} until {day}. Photographs of receipts are fine if one can read them.",
         ("Mine are in, including the taxi that has no receipt. I know, I know.", "Done. Is the train to {officecity} travel or training?", "Could I have until {day} evening? The scanner is winning.")),
    )),
    ("gita", ("adele", "mara", "theo", "camille", "oscar", "yuki", "nadia", "ben", "hanna", "diego", "ruth"), (
        ("{quarter} in one page", "We have closed {quarter} with {num} new sites and the best support scores since we count them. The rest is on the attached page; ask me anything at lunch on {day}.",
         ("Lovely news, congratulations to everybody!", "Can we have the page as a picture for the hall?", "The support scores made my day. Thank you, all.")),
        ("Visitors on {day}", "On {day} {company} visits us with {num2} people. They want to see how we test devices. Please leave the lab as tidy as you would like to find it.",
         ("Count me in for the tour, I can show the printers.", "The lab is tidy. The drawer is not, please do not open the drawer.", "I know {contact}, I will say hello.")),
        ("Our office in {officecity}", "From {start} we have three more desks in {officecity}. If you want one, tell {hanna} until {day}; first come, first served.",
         ("I would like a desk by the window, if that is allowed.", "One for me, please, on Tuesdays and Thursdays.", "Happy where I am, but I will visit for the view.")),
    )),
    ("hanna", ("diego", "oscar", "ben", "mara"), (
        ("Interviews next week", "Three interviews next week, invitations are out. Please write your impressions down before you talk to each other about them.",
         ("Noted. Do you have the CVs in one place?", "I can take the Tuesday one alone if it helps.", "Good rule. Last time we all remembered different people.")),
        ("Feedback talks, {month}", "It is time for the feedback talks again. Half an hour each is enough if you have notes. The form has become shorter, I promise.",
         ("Done for two of four. The other two when they are back.", "Can mine be in the afternoon? {company} has a go-live that morning.", "The form is indeed shorter. Thank you.")),
        ("New colleague on {start}", "Our new colleague starts on {start}. Who would like to be the buddy for the first month?",
         ("Happy to be the buddy. I will show them the good coffee.", "Not me this time, but I take them along to {company}.", "Laptop and badge are ordered.")),
    )),
    ("ben", ("adele", "oscar", "diego"), (
        ("Go-live at {company}", "We are live at {company} since {hour}:40. {qty} picks in the first hour, no queue. One printer refused to work until I turned it by ninety degrees, do not ask.",
         ("Great work! {contact} has just called me, very pleased.", "Please write the printer thing down for the handbook.", "I will send cake.")),
        ("{company}: notes from site", "Three things from two days on site: the floor plan is from before the fire doors, the night shift has not been asked yet, and their coffee is excellent.",
         ("I ask {contact} for a new plan.", "The night shift should see the Scout before we order. Can you leave one there?", "Two out of three are news to me. Thank you.")),
        ("{company} wants to start earlier", "They would like to start two weeks earlier. From our side possible if the network is ready; I have asked {contact} for a date in writing.",
         ("Earlier is fine for us if the devices arrive. Let me check with the supplier.", "In writing, yes please. Last time 'ready' meant 'ordered'.", "I can be there for the first two days.")),
    )),
    ("adele", ("mara", "ben", "ruth"), (
        ("{company}: next steps", "Short summary of my call with {contact}: happy with the system, unhappy with the wait for spare parts. I promised we look into it.",
         ("Spare parts now ship from Bremen, that should help. I can give you the numbers.", "They are right. It was eleven days in {month}.", "Thank you for not promising a number.")),
        ("Visit to {company} on {day}", "I am at {company} on {day}. Is there anything open from your side that I should know before {contact} tells me?",
         ("One invoice is late, but please do not mention it in front of the CFO.", "Ask them about {site}, there was talk of a second shift.", "Nothing open. Greetings to {contact}!")),
        ("Reference call with {company}", "{contact} is willing to take a reference call for the new prospect. Thursday, twenty minutes. Who briefs whom?",
         ("I will brief the prospect, you take {contact}.", "Thursday is good. After {hour} o'clock, please.", "Ask {contact} to tell the story of the first stock count, it is the best one.")),
    )),
    ("camille", ("theo", "mara", "adele"), (
        ("Trade fair in {fair}", "The stand in {fair} is confirmed, hall 5, near the coffee. Who can be there on which day? I would like two of us at any time.",
         ("I can do the first two days.", "I take the evening event, somebody has to.", "All three days, my shoes are already crying.")),
        ("Leads from {fair}", "We came back from {fair} with {num} conversations, {num2} of them worth a call. The list is in the shared folder, sorted by how awake I was.",
         ("Send me everything from Austria and Switzerland, please.", "Three of them called before I could. Good stand!", "The second on the list is an old friend of {company}. I take that one.")),
        ("Travel to {fair}", "Flights are cheap until {day}. Please book yourselves, Ruth knows.",
         ("Booked. I arrive the evening before.", "I take the train, it is only seven hours and has a table.", "Same hotel as last year?")),
    )),
    ("nadia", ("oscar", "diego", "yuki"), (
        ("A pattern in the returns tickets", "I went through the returns tickets of {month}: {num} of {qty} come from the same screen. If we move one button we save ourselves a day a week.",
         ("That is convincing. Put it into the next release, I say.", "Can we do the same analysis for the printers?", "I never liked that button.")),
        ("Handbook chapter on labels", "The chapter on labels is rewritten with photographs. Could one of you read it as if you had never seen a printer?",
         ("Read it. Page 4 made me understand something I had been doing wrong for years.", "I let my neighbour read it. She could do it, and she is a cellist.", "Two typos, otherwise perfect.")),
        ("Arabic interface: review", "The Arabic interface is complete. Numbers in tables still run the wrong way on the handheld.",
         ("The numbers are mine, I fix them this week.", "Beautiful work. {contact} at {company} has asked for it twice.", "Could you check the labels too? There the direction is in the printer.")),
    )),
)

WEEKLY = (
    ("mara", ("adele", "theo", "camille"), "Pipeline meeting", 45, "Room Thames / video"),
    ("oscar", ("yuki", "nadia"), "Support stand-up", 15, "video"),
    ("gita", ("mara", "oscar", "diego", "ruth", "hanna"), "Leadership round", 60, "Room Tagus"),
    ("diego", ("oscar", "ben"), "Release planning", 30, "video"),
)

LUNCH = (
    ("Lunch on {day}?", "There is a new place by the canal. Table for {num2} at 12:30, who comes?"),
    ("Key to the lab", "Whoever has the key to the lab: I need it before {hour} o'clock, please. Last seen near the label printers."),
    ("Found: grey scarf", "Found in the meeting room, now at the front desk."),
    ("Birthday cake in the kitchen", "It is that day again. Two kinds, one without nuts."),
    ("Window cleaning on {day}", "Please clear the sills before {hour} o'clock. Last time a cactus suffered."),
    ("Football bet", "{num} people have paid, {num2} have not. You know who you are."),
    ("Coffee machine", "It is not broken, it wants to be descaled. I have done it; please do not press both buttons at once."),
    ("Fire drill on {day}", "At {hour}:30. It is a drill, but please leave the building anyway. Meeting point is the bicycle stand."),
)
