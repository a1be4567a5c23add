"""What mail programs call things in the head of a forwarded mail, in the languages they speak."""

from __future__ import annotations

import re

# The beginning of a forward's subject.
PREFIX = re.compile(
    r"\s*(?:fwd?|fw|wg|wtr|tr|rv|rif|i|enc|encaminhado|doorst|vs|vb|vl|pd|továbbítás|fs|πρθ|ilt|yml|转发|轉寄|転送|전달|пересл\.?)"
    r"\s?(?:\[\d+\])?\s?[:：]",
    re.IGNORECASE,
)

LABELS: dict[str, tuple[str, ...]] = {
    "from": (
        "from", "von", "de", "da", "van", "från", "fra", "lähettäjä", "od", "feladó", "de la", "kimden", "gönderen",
        "từ", "от", "от кого", "від", "από", "差出人", "送信者", "发件人", "寄件者", "寄件人", "보낸 사람", "보낸사람",
    ),
    "sent": (
        "sent", "date", "gesendet", "datum", "envoyé", "envoyé le", "enviado", "enviado el", "enviada em", "enviado em",
        "fecha", "data", "inviato", "verzonden", "skickat", "sendt", "dato", "lähetetty", "päivämäärä", "wysłano",
        "odesláno", "odoslané", "elküldve", "dátum", "trimis", "gönderildi", "tarih", "đã gửi", "ngày", "отправлено",
        "дата", "надіслано", "ημερομηνία", "στάλθηκε", "送信日時", "日時", "日付", "发送时间", "日期", "寄件日期",
        "傳送時間", "보낸 날짜", "날짜",
    ),
    "to": (
        "to", "an", "à", "a", "para", "aan", "till", "til", "vastaanottaja", "do", "komu", "címzett", "către", "kime",
        "alıcı", "đến", "кому", "προς", "宛先", "收件人", "收件者", "받는 사람",
    ),
    "cc": ("cc", "kopie", "copie", "kopia", "kopi", "kopio", "dw", "копия", "копія", "κοιν", "抄送", "副本", "참조"),
    "subject": (
        "subject", "betreff", "objet", "asunto", "oggetto", "assunto", "onderwerp", "ämne", "emne", "aihe", "temat",
        "předmět", "predmet", "tárgy", "subiect", "konu", "chủ đề", "тема", "θέμα", "件名", "主题", "主旨", "제목",
    ),
}  # fmt: skip
FIELD = {label: name for name, labels in LABELS.items() for label in labels}
LINE = re.compile(r"[*_>\s]{0,6}(?P<label>[^\W\d_][^:：\n]{0,20}?)\s?[*_]{0,2}\s?[:：]\s?[*_]{0,2}\s*(?P<value>.*)\Z")

_MONTHS = (
    "jan gen ene led oca янв styczeń sty", "feb fév fev únor şub фев lut", "mar mär mrt bře мар maar marzec",
    "apr avr abr kwi dub nis апр", "may mai mag maj mei toukokuu kvě мая май", "jun juin giu kesä cze haz červen июн",
    "jul juil lug lip tem července июл", "aug août aoû ago srp sie ağu авг elo", "sep set eyl wrz zář сен syys",
    "oct okt ott out paź říj eki окт loka", "nov lis kas listopad ноя marras",
    "dec dez déc dic dis pro gru ara дек joulu",
)  # fmt: skip
MONTHS = {word: number for number, words in enumerate(_MONTHS, 1) for word in words.split()}
