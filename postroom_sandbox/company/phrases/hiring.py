"""Candidates: applications, interviews, offers and friendly refusals."""

# ruff: noqa: E501 - a phrase reads better on one line
# fmt: off

from __future__ import annotations

ROLES = (
    ("Backend Engineer", "diego", "Python services that move {sku} pallets a day", ("Python, PostgreSQL", "event-driven systems", "on-call without heroics")),
    ("Support Engineer", "oscar", "the people our customers call when a printer stops", ("troubleshooting", "networks", "patience, in two languages")),
    ("Implementation Consultant", "ben", "going live in real warehouses", ("project work on site", "process mapping", "training shift workers")),
    ("Account Executive", "mara", "customers in logistics and trade", ("B2B sales", "long cycles", "honest forecasting")),
    ("Product Designer", "diego", "screens used with gloves on", ("field research", "prototyping", "accessibility")),
    ("Data Analyst", "ruth", "numbers that a warehouse manager believes", ("SQL", "forecasting", "clear writing")),
)

CANDIDATES = (
    ("Priya Kaur", "mail.example"), ("Mateus Oliveira", "mail.example"), ("Freya Nilsen", "post.example"), ("Tunde Adeyemi", "mail.example"),
    ("Anaïs Berger", "courriel.example"), ("Jakub Nowak", "poczta.example"), ("Leila Moradi", "mail.example"), ("Owen Griffiths", "post.example"),
    ("Chiara Conti", "posta.example"), ("Noah Steiner", "post.example"), ("Mei Lin Zhou", "mail.example"), ("Ahmed Saleh", "mail.example"),
    ("Sanne de Wit", "post.example"), ("Rosa Delgado", "correo.example"), ("Viktor Hansen", "post.example"), ("Grace Otieno", "mail.example"),
    ("Dmitri Volkov", "mail.example"), ("Elif Demir", "posta.example"), ("Hugh Tremaine", "post.example"), ("Yara Haddad", "mail.example"),
    ("Stefan Ilić", "posta.example"), ("Bronagh Kelly", "post.example"), ("Arjun Mehta", "mail.example"), ("Lotte Schäfer", "post.example"),
    ("Zoë Martin", "courriel.example"), ("Kofi Asante", "mail.example"), ("Ingrid Solberg", "post.example"), ("Paulo Ramos", "correo.example"),
    ("Nora Lindgren", "post.example"), ("Tom Ashworth", "mail.example"),
)

SUBJECTS = ("Application: {role}", "{role} at Northwind", "Applying for {role}", "Your opening for {a_role}", "{role}, {city}: my application")

APPLY = (
    (
        "I saw your opening for {a_role} and would like to apply. My CV is attached.",
        "A friend who works with your scanners told me that you are looking for {a_role}. That is my line of work, so here I am.",
        "Please find attached my application as {role}.",
        "Your advertisement was the first in a while that said what the job is. I would like to know more about it.",
    ),
    (
        "For the past {years} years I have been at {employer}, where I [took care of|was responsible for] {skill1}. What I enjoyed most was {skill2}.",
        "I spent {years} years at {employer}, the last two leading a team of {num}. {skill1} is what I do every day; {skill2} is what I would like to do more of.",
        "In short: {years} years of {skill1}, a good deal of {skill2}, and a liking for warehouses since a student job on the night shift.",
    ),
    (
        "I could start on {start}. {city} works well for me, and I am used to working remotely part of the week.",
        "My notice period is [six weeks|two months]. I would be glad to tell you more in a conversation.",
        "If you would like to see my work, the second page of the CV has [three|two] examples with links.",
        "Thank you for your time. I look forward to hearing from you either way.",
    ),
)

RECEIVED = (
    (
        "Thank you for your application, {first}. It reached a person, and that person is me.",
        "Thanks for writing to us, {first}. We have read your CV with interest.",
        "Thank you for applying as {role}.",
    ),
    (
        "{lead}, who leads the team, and I would like to speak with you for [thirty|forty] minutes. Would {day} at {hour}:00 suit you?",
        "You will have an answer by {meeting}, I promise, whatever it is.",
        "We are looking at applications together on {day} and I will write to you the day after.",
    ),
)

TO_LEAD = (
    (
        "New one for {role}: {name}, {years} years at {employer}. I like the part about {skill2}. Speak to {them}?",
        "Could you have a look at {name}'s CV (attached)? For me a clear yes to a first talk.",
        "{name} for {role}. The letter is short and good. Your turn.",
    ),
)

LEAD_SAYS = (
    (
        "Yes, please. I would want to hear how they [handled an outage|said no to a customer] once.",
        "Go ahead. {day} after {hour} o'clock works for me.",
        "Strong on {skill1}, less so on {skill2}. Worth forty minutes.",
        "Not convinced, but I have been wrong about short CVs before. Let us talk to them.",
        "I would pass; we have two with more {skill1}. Up to you.",
    ),
)

SCHEDULE = (
    (
        "{day} {hour}:00 works, and I have attached [a few notes|two samples] you may want to see beforehand.",
        "Thank you for the quick answer. {day} is fine. Is it by video or in the office?",
        "I am at work at that hour; could we make it {hour2}:00, or the next morning?",
    ),
)

CONFIRM = (
    (
        "Perfect, I have sent you an invitation. It is by video; the link is in it. You will meet {lead} and me.",
        "{day}, {hour2}:00 then. No preparation needed. Please tell us if you need anything to take part comfortably.",
        "Booked. We will talk about a real problem we had last month, no riddles.",
    ),
)

FEEDBACK = (
    (
        "My notes on {name}: calm, precise, asked better questions than we did. Wants to know why we chose what we chose.",
        "Talked to {name}. Knows {skill1} well, honest about what they have not done yet. I would go on.",
        "{name}: pleasant, but I kept having to ask for the concrete example. {skill2} was thin.",
        "Short version for {name}: yes. Longer version: yes, and let us be quick, there is another offer.",
    ),
    ("What is your impression?", "Reference calls next?", "I can do the second round on {day}.", ""),
)

OFFER = (
    (
        "We would love to have you with us, {first}. Attached is our offer for the position of {role}.",
        "It was an easy decision: please find our offer attached.",
        "{lead} and I are very happy to offer you the position as {role}.",
    ),
    (
        "The salary is {salary} a year, with 28 days of leave and a budget for learning. Start would be {start}.",
        "Start on {start}, {salary} a year, {city} or remote three days a week. The details are in the document.",
    ),
    ("Take the time you need; an answer by {meeting} would help us plan.", "If anything in it is unclear, call me, please.", "We are keeping our fingers crossed."),
)

ACCEPT = (
    (
        "I am delighted to accept! The signed contract is attached.",
        "Thank you, and yes. I have given notice today, it feels right.",
        "With pleasure. The signed copy is attached; is there anything I should read before {start}?",
        "Thank you for the generous offer. After some thought I have decided to stay where I am. It was a close call and I enjoyed every talk with you.",
    ),
)

DECLINE = (
    (
        "Thank you for the time you have given us, {first}. We have decided to go on with somebody whose experience is closer to {skill1}.",
        "I am sorry to tell you that we will not go further with your application as {role}. It was not a judgement on your work; we had {num} applications for one place.",
        "This time the answer is no, and I would rather tell you today than let you wait.",
    ),
    (
        "If you like I can tell you on the phone what spoke for and against; I find that fairer than a standard letter.",
        "May we keep your CV until {quarter}? We will be looking again.",
        "I wish you all the best, and mean it.",
    ),
)

DECLINE_ANSWER = (("Thank you for letting me know, and for the kind words. All the best to you and the team.", "A pity, but thank you for the honest answer. Please do keep my CV.", "I appreciate the quick reply, that is rare. Good luck with the search!"),)
