"""The words mail programs put around what they quote, in the languages they speak."""

import re

# "On Tuesday … Ana wrote:" - the verb, wherever it stands in the line that introduces a quote.
WROTE = re.compile(
    r"\b(?:wrote|writes|schrieb|schreibt|a écrit|écrit|escribió|escribe|ha scritto|scrisse|escreveu|schreef|skrev|"
    r"kirjoitti|napisał\(?a?\)?|pisze|napsal\(?a?\)?|napísal\(?a?\)?|napisao|napisala|je napisao|írta|a scris|"
    r"yazdı|đã viết|писал\(?а?\)?|написал\(?а?\)?|пишет|написав|пише|έγραψε|kirjutas|rašė|rakstīja|menulis)\b"
    r"|写道|寫道|のメール|書きました|さんは|작성|님이|כתב|كتب|เขียน",
    re.IGNORECASE,
)

# How such a line begins when it names the date: where it was wrapped, this is its first part.
OPENING = re.compile(
    r"(?:(?:On|Am|Le|El|Il|Em|No|Op|På|Den|Dne|Dňa|W dniu|Vào|Pada|El día|Em|Lúc)\b|\d|\w{2,12}[.,] ?\w*\.? ?\d).*\d",
    re.IGNORECASE,
)

_FROM = (
    r"From|Von|De|Da|Van|Från|Fra|Lähettäjä|Od|Feladó|De la|Kimden|Gönderen|Từ|От|От кого|Від|Από|差出人|送信者|"
    r"发件人|寄件者|寄件人|보낸 사람|보낸사람|מאת|من|จาก"
)
_SENT = (
    r"Sent|Date|Gesendet|Datum|Envoyé|Envoyé le|Enviado|Enviado el|Enviada em|Enviado em|Fecha|Data|Inviato|Verzonden|"
    r"Skickat|Sendt|Dato|Lähetetty|Päivämäärä|Wysłano|Odesláno|Odoslané|Elküldve|Dátum|Trimis|Gönderildi|Tarih|"
    r"Đã gửi|Ngày|Отправлено|Дата|Надіслано|Ημερομηνία|Στάλθηκε|送信日時|日時|日付|发送时间|日期|寄件日期|傳送時間|"
    r"보낸 날짜|날짜|נשלח|תאריך|تاريخ|تم الإرسال|วันที่|ส่ง|To|An|À|A|Para|Aan|Till|Til|Do|Кому|宛先|收件人|받는 사람"
)
# The head of a quoted mail: "From: …" and, within the next lines, "Sent: …" or the like. Bold marks are tolerated.
FROM_LINE = re.compile(rf"[*_]{{0,2}}(?:{_FROM})\s?[:：]", re.IGNORECASE)
SENT_LINE = re.compile(rf"[*_]{{0,2}}(?:{_SENT})\s?[:：]", re.IGNORECASE)

# "-----Original Message-----" in any language: words between dashes, alone on a line.
DIVIDER = re.compile(r"[-–—_]{3,}\s*[^\s\-–—_][^-–—_]{2,50}[^\s\-–—_]?\s*[-–—_]{3,}\s*\Z")
UNDERLINE = re.compile(r"_{20,}\s*\Z")
FORWARDED = re.compile(
    r"Begin forwarded message|Anfang der weitergeleiteten|Début du message (?:transféré|réexpédié)|"
    r"Inicio del mensaje reenviado|Inizio messaggio inoltrato|Begin doorgestuurd bericht|Início da mensagem",
    re.IGNORECASE,
)

# The last words of a telephone: what stands behind them is not what the message says.
SENT_FROM = re.compile(
    r"(?:Sent from|Get Outlook for|Gesendet (?:von|mit)|Von meinem .{2,30} gesendet|Envoyé (?:de|depuis)|"
    r"Enviado (?:desde|do|de) m|Inviato da|Verzonden (?:vanaf|met|via)|Skickat från|Sendt fra|Wysłane z|"
    r"Отправлено с|iPhoneから送信|发自我的|從我的)",
    re.IGNORECASE,
)
