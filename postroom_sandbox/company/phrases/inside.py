"""Mail among colleagues."""

# ruff: noqa: E501 - a phrase reads better on one line
# fmt: off

from __future__ import annotations

# who starts, who answers, subjects, opening, answers
TALKS = (
    ("mara", ("adele", "theo", "camille"), ("Forecast for {quarter}", "Pipeline review on {day}", "Numbers before the board meeting"),
     ("Please update your deals before {day} noon, I build the forecast from what is there. Close dates in the past make us look silly.", "The board meets on {meeting}. I need one line per deal above {threshold}: what has to happen, by when, and who does it.", "We are {num} % behind plan for {quarter} with [five|six] weeks to go. I would rather know now than be surprised."),
     ("Mine are done. {company} slipped to {nextquarter}, everything else holds.", "Updated. I moved {company} from commit to upside because {contact} has gone quiet.", "Will do tonight. Is the number with or without the renewals?", "Done, and one new one: {company}, {qty} handhelds. It may come faster than we think.")),
    ("oscar", ("yuki", "nadia", "diego"), ("Handover, week {week}", "Tickets older than a week", "On call over the holidays"),
     ("Open over the weekend: {num} tickets, two of them from {company}. The printer one waits for a spare part, please do not promise a date.", "We have {num} tickets older than seven days. Let us go through them on {day} at {hour}:00; bring the ones you are stuck on.", "The rota for the holidays is attached. Swap among yourselves, but tell me."),
     ("I take the two from {company}, I know the site.", "Fine with me. I can do the {day} if somebody takes my Friday.", "{num2} of them are waiting for the customer. Can we close those after a reminder?", "The interface ones are one and the same cause, I will write it up.")),
    ("diego", ("oscar", "ben", "adele", "mara"), ("Release {release} on {day}", "What is in {release}", "Maintenance window on {day}"),
     ("Release {release} goes out on {day} at 21:00. New: strict expiry order per article group, printers by name, faster waves. Notes for customers are attached.", "We move the database of the second region on {day}, between 22:00 and 23:00. Handhelds keep working, the web pages will be read-only.", "{release} is postponed by two days: the returns screen forgets its filter and I do not want to ship that."),
     ("Thank you, the customers at {company} will be happy about the waves.", "Can we tell {company} beforehand? They run a night shift.", "Is the fix for the double booking in it?", "Good decision. I would rather explain two days than a bug.")),
    ("ruth", ("adele", "theo", "camille", "mara"), ("Open invoices, {month}", "Purchase orders missing", "Expenses until {day}"),
     ("These customers are more than 30 days late: {company} ({total}), and two smaller ones. Could the owner give them a friendly call before I send the second reminder?", "I cannot invoice without an order number. Missing for: {company}. Please chase it, the month ends on {day}.", "Please hand in your expenses for {month} until {day}. Photographs of receipts are fine if one can read them."),
     ("I called. The invoice was with the wrong department, it will be paid this week.", "The number is {po}, sorry, it was in my inbox.", "Mine are in, including the taxi that has no receipt. I know, I know.", "{contact} says it was paid on the 12th. Could you check again?")),
    ("gita", ("adele", "mara", "theo", "camille", "oscar", "yuki", "nadia", "ben", "hanna", "diego", "ruth"),
     ("{quarter} in one page", "Thank you, and what comes next", "Visitors on {day}", "Our office in {officecity}"),
     ("We have closed {quarter} with {num} new sites and the best support scores since we count them. The rest is on the attached page; ask me anything at lunch on {day}.", "On {day} {company} visits us with {num2} people. They want to see how we test devices. Please leave the lab as tidy as you would like to find it.", "From {start} we have three more desks in {officecity}. If you want one, tell {hanna} until {day}; first come, first served."),
     ("Lovely news, congratulations to everybody!", "I would like a desk by the window, if that is allowed.", "Can we have the page as a picture for the hall?", "Count me in for the tour, I can show the printers.")),
    ("hanna", ("diego", "oscar", "ben", "mara"), ("Interviews next week", "Feedback talks, {month}", "New colleague on {start}"),
     ("Three interviews next week, invitations are out. Please write your impressions down before you talk to each other about them.", "It is time for the feedback talks again. Half an hour each is enough if you have notes. The form has become shorter, I promise.", "Our new colleague starts on {start}. Who would like to be the buddy for the first month?"),
     ("Happy to be the buddy. I will show them the good coffee.", "Can mine be in the afternoon? {company} has a go-live that morning.", "Done for two of four. The other two when they are back.", "Noted. Do you have the CVs in one place?")),
    ("ben", ("adele", "oscar", "diego"), ("Go-live at {company}", "{company}: notes from site", "What I learned at {company}"),
     ("We are live at {company} since {hour}:40. {qty} picks in the first hour, no queue. One printer refused to work until I turned it by ninety degrees, do not ask.", "Three things from two days on site: the floor plan is from before the fire doors, the night shift has not been asked yet, and their coffee is excellent.", "They would like to start two weeks earlier. From our side possible if the network is ready; I have asked {contact} for a date in writing."),
     ("Great work! {contact} has just called me, very pleased.", "Please write the printer thing down for the handbook.", "Earlier is fine for us if the devices arrive. Let me check with the supplier.", "I will send cake.")),
    ("adele", ("mara", "ben", "ruth"), ("{company}: next steps", "Visit to {company} on {day}", "Reference call with {company}"),
     ("I am at {company} on {day}. Is there anything open from your side that I should know before {contact} tells me?", "{contact} is willing to take a reference call for the new prospect. Thursday, twenty minutes. Who briefs whom?", "Short summary of my call with {contact}: happy with the system, unhappy with the wait for spare parts. I promised we look into it."),
     ("One invoice is late, but please do not mention it in front of the CFO.", "Spare parts now ship from Bremen, that should help. I can give you the numbers.", "I will brief the prospect, you take {contact}.", "Ask them about {site}, there was talk of a second shift.")),
    ("camille", ("theo", "mara", "adele"), ("Trade fair in {fair}", "Stand duty and travel", "Leads from {fair}"),
     ("The stand in {fair} is confirmed, hall 5, near the coffee. Who can be there on which day? I would like two of us at any time.", "We came back from {fair} with {num} conversations, {num2} of them worth a call. The list is attached, sorted by how awake I was.", "Flights are cheap until {day}. Please book yourselves, Ruth knows."),
     ("I can do the first two days.", "Send me everything from Austria and Switzerland, please.", "Three of them called before I could. Good stand!", "I take the evening event, somebody has to.")),
    ("nadia", ("oscar", "diego", "yuki"), ("A pattern in the returns tickets", "Handbook chapter on labels", "Arabic interface: review"),
     ("I went through the returns tickets of {month}: {num} of {qty} come from the same screen. If we move one button we save ourselves a day a week.", "The chapter on labels is rewritten with photographs. Could one of you read it as if you had never seen a printer?", "The Arabic interface is complete. Numbers in tables still run the wrong way on the handheld, screenshot attached."),
     ("That is convincing. Put it into the next release, I say.", "Read it. Page 4 made me understand something I had been doing wrong for years.", "The numbers are mine, I fix them this week.", "Can we do the same analysis for the printers?")),
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
