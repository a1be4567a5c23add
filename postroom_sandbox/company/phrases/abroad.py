"""Conversations in other languages. Steps go back and forth: customer first, then Northwind, and so on."""

# ruff: noqa: E501 - a phrase reads better on one line
# fmt: off

from __future__ import annotations

GREETING = {
    "en": ("Hi {first},", "Hello {first},", "Dear {first},", "Hi {first}", "Good morning {first},", "Good afternoon {first},"),
    "de": ("Hallo {first},", "Guten Tag {name},", "Guten Morgen {first},", "Liebe Grüße vorweg, {first}!"),
    "fr": ("Bonjour {first},", "Bonjour,", "Chère équipe, bonjour,"),
    "es": ("Hola, {first}:", "Buenos días, {first}:", "Estimado equipo:"),
    "pt": ("Olá {first},", "Bom dia {first},", "Caro {first},"),
    "ja": ("{first}様\n\nいつもお世話になっております。", "{first}様\n\nお世話になっております。"),
    "ar": ("مرحباً {first}،", "السلام عليكم {first}،", "تحية طيبة {first}،"),
}
# among colleagues: (greeting, closing)
CASUAL = (("Hi {first},", "Best,"), ("Hi {first},", "Thanks!"), ("{first},", "Cheers,"), ("Hi,", "Thanks,"), ("Hello {first},", "See you,"), ("Hey {first},", "Cheers,"))
CLOSING = {
    "en": ("Best regards,", "Kind regards,", "Best,", "Many thanks,", "Thanks,", "All the best,", "Best wishes,"),
    "de": ("Viele Grüße", "Mit freundlichen Grüßen", "Beste Grüße aus Bremen", "Schöne Grüße"),
    "fr": ("Bien cordialement,", "Cordialement,", "Bonne journée,", "Bien à vous,"),
    "es": ("Un saludo,", "Saludos cordiales,", "Muchas gracias y un saludo,"),
    "pt": ("Com os melhores cumprimentos,", "Cumprimentos,", "Obrigado e até breve,"),
    "ja": ("よろしくお願いいたします。", "何卒よろしくお願い申し上げます。"),
    "ar": ("مع أطيب التحيات،", "تحياتي،", "وتفضلوا بقبول فائق الاحترام،"),
}

# language -> stories: (subjects, steps); each step is a tuple of banks
STORIES = {
    "de": (
        (("Angebot für {qty} Handscanner", "Neue Scanner für Halle {num2}", "Anfrage: {qty} Scout 2"), (
            (("für unsere Halle {num2} benötigen wir ab {start} {qty} neue Handscanner. Die alten halten keine Schicht mehr durch.", "wir stellen ab {start} auf zwei Schichten um und brauchen dafür {qty} weitere Geräte."), ("Könnten Sie uns bitte ein Angebot inklusive Ladestationen machen? Lieferung frei Haus wäre schön.", "Was wäre Ihr bester Preis, und wie lange ist derzeit die Lieferzeit?")),
            (("vielen Dank für Ihre Anfrage. Gern mache ich Ihnen ein Angebot, vorab zwei Fragen:", "danke, dass Sie wieder an uns denken. Damit das Angebot passt:"), ("- Sollen die Geräte auch in der Kühlzone eingesetzt werden?\n- Behalten Sie die vorhandenen Halterungen?", "- Brauchen Sie die Variante mit langer Reichweite?\n- Sollen wir die Altgeräte zurücknehmen?"),),
            (("Kühlzone ja, aber nur kurz. Die Halterungen behalten wir.", "die normale Reichweite genügt. Die Altgeräte nehmen Sie bitte mit, davon haben wir {num} Stück."), ("Frau Öhler aus dem Einkauf ist in Kopie, sie unterschreibt am Ende.", "Mir wäre eine Entscheidung bis {meeting} lieb.")),
            (("anbei das Angebot {quote}. Der Gesamtpreis beträgt {total}, gültig bis {valid}.", "das Angebot {quote} liegt bei: {total} für alles zusammen, Rücknahme der Altgeräte eingeschlossen."), ("Die Lieferung dauert drei Wochen ab Bestellung.", "Bei Bestellung bis {valid} liefern wir noch vor {start}.")),
            (("das passt. Unsere Bestellnummer lautet {po}.", "einverstanden, bitte liefern Sie. Bestellung {po} hängt an."), ("Bitte die Lieferung an Tor {num2}, dort ist ab sechs Uhr jemand.", "Rechnung bitte digital an unsere Buchhaltung.")),
            (("herzlichen Dank für die Bestellung! Die Auftragsbestätigung bekommen Sie heute noch.", "vielen Dank, die Ware ist für Sie reserviert."), ("Den Liefertermin bestätige ich Ihnen bis {day}.", ""),),
        )),
        (("Inventur am {day}: Zugriff für Aushilfen", "Aushilfen in Harbor anlegen", "Zusätzliche Benutzer für die Inventur"), (
            (("wir zählen am {day} und haben dafür {num} Aushilfen. Müssen wir alle einzeln anlegen?", "zur Inventur kommen {num} Aushilfskräfte. Gibt es einen einfachen Weg, ihnen für einen Tag Zugriff zu geben?"), ("Im letzten Jahr hat das einen halben Tag gekostet.", "")),
            (("nein, dafür gibt es inzwischen Tageskarten: ein Barcode am Ausweis, gültig bis Mitternacht.", "das geht seit dem Frühjahr mit einer Liste: Namen hochladen, fertig."), ("Eine kurze Anleitung hängt an. Soll ich es einmal mit Ihnen zusammen machen?",)),
            (("wunderbar, das hat auf Anhieb geklappt.", "danke, genau das haben wir gesucht. {num} Karten sind gedruckt."), ("Die Inventur war um {hour2} Uhr fertig, so früh wie noch nie!", "")),
        )),
    ),
    "fr": (
        (("Devis pour {qty} lecteurs", "Extension de Harbor à l'atelier", "Nouvelle zone de préparation : besoin de matériel"), (
            (("nous ouvrons une zone de préparation à partir du {start} et il nous manque environ {qty} lecteurs.", "notre ancien matériel arrive en fin de vie. Nous souhaitons remplacer {qty} lecteurs avant le {start}."), ("Pourriez-vous nous faire une proposition avec deux options, achat et location ?", "Quel serait le délai de livraison en ce moment ?")),
            (("merci pour votre message. Oui, c'est tout à fait faisable pour le {start}.", "avec plaisir ! Avant de chiffrer, deux petites questions."), ("- Les lecteurs seront-ils utilisés au froid ?\n- Souhaitez-vous garder vos étiquettes actuelles ?", "- Combien de personnes travaillent en même temps ?\n- Faut-il prévoir une formation sur place ?")),
            (("pas de froid chez nous, et nous gardons les étiquettes.", "au plus fort de la saison, {num} personnes. Une demi-journée de formation suffira."), ("Hugo, en copie, s'occupe de la partie technique.", "J'en parle à la direction le {meeting}.")),
            (("vous trouverez le devis {quote} en pièce jointe : {total}, valable jusqu'au {valid}.", "voici notre proposition {quote}, pour un total de {total}."), ("La formation est comprise.", "Je reste à votre disposition pour en discuter.")),
            (("c'est validé ! Notre numéro de commande est {po}.", "la direction a donné son accord, voici la commande {po}."), ("Merci de livrer le matin, la rue est fermée l'après-midi.", "Nous avons hâte de commencer.")),
            (("merci beaucoup pour votre confiance. La confirmation part aujourd'hui.", "commande bien reçue, merci !"), ("Ben vous contactera pour fixer la date de la formation.", "")),
        )),
        (("Étiquettes illisibles depuis hier", "Imprimante du quai {num2}", "Problème d'impression"), (
            (("depuis hier, les étiquettes du quai {num2} sortent trop pâles et le transporteur les refuse.", "l'imprimante du quai {num2} imprime une bande blanche au milieu de chaque étiquette."), ("Que pouvons-nous faire en attendant ?", "Je joins une photo.")),
            (("merci pour la photo, elle dit tout : la tête d'impression est usée.", "c'est probablement le ruban. Pouvez-vous vérifier la référence sur la boîte ?"), ("Une pièce de rechange part aujourd'hui, vous l'aurez {day}.", "En attendant, baissez la vitesse à 3 dans le menu, cela suffit souvent.")),
            (("parfait, cela fonctionne de nouveau. Merci de votre rapidité !", "c'était bien cela. Tout est rentré dans l'ordre."), ("",)),
        )),
    ),
    "es": (
        (("Oferta para la almazara de {site}", "Ampliación de licencias", "{qty} usuarios más para la campaña"), (
            (("la campaña empieza el {start} y vamos a necesitar {qty} usuarios más durante cuatro meses.", "abrimos un segundo almacén en {site} y queremos trabajar con Harbor desde el primer día."), ("¿Es posible contratarlos solo por temporada?", "¿Nos puede enviar una oferta antes del {meeting}?")),
            (("gracias por escribirnos. Sí, tenemos licencias de temporada desde este año.", "¡qué buena noticia! Lo preparamos encantados."), ("Le envío la oferta {quote}: {total} en total, válida hasta el {valid}.", "Adjunto la oferta {quote} por {total}. Incluye la puesta en marcha y un día de formación.")),
            (("me parece bien, pero dirección pide un descuento del {discount} %.", "la he presentado hoy. Piden pagar en dos plazos."), ("¿Lo ve posible?", "Si es así, firmamos esta semana.")),
            (("podemos hacerlo si el contrato es por dos campañas.", "sin problema, lo dejamos en dos plazos iguales."), ("Le adjunto la versión nueva.", "")),
            (("perfecto. Nuestro número de pedido es {po}.", "adjunto el pedido firmado, número {po}."), ("Muchas gracias por la flexibilidad.", "Andrés les espera el {day} en la puerta {num2}.")),
        )),
        (("El inventario no cuadra", "Diferencia en el depósito {num2}", "Duda con los lotes"), (
            (("en el depósito {num2} tenemos {num} unidades más en el sistema que en la estantería.", "al cambiar de lote, el lector pide dos veces la fecha de caducidad."), ("¿Podrían mirarlo? No corre mucha prisa.", "Lo necesitamos antes del {day}, viene el auditor.")),
            (("lo estoy mirando. ¿Quién hizo el último recuento, y a qué hora?", "gracias por avisar. ¿Pasa con todos los lectores o solo con algunos?"), ("",)),
            (("el turno de tarde, sobre las {hour2}.", "solo con los nuevos."), ("Gracias.", "")),
            (("encontrado: el recuento se guardó dos veces. Ya está corregido.", "era una opción del perfil nuevo. La he cambiado y en diez minutos estará en los lectores."), ("¿Me confirma que ya cuadra?",)),
            (("confirmado, ya cuadra. ¡Muchas gracias!", "funciona. Un abrazo desde Sevilla."), ("",)),
        )),
    ),
    "pt": (
        (("Impressoras para o novo cais", "Pedido de proposta: {qty} impressoras", "Cais {num2}: etiquetas"), (
            (("vamos abrir o cais {num2} no dia {start} e precisamos de {qty} impressoras.", "as impressoras do cais {num2} já não aguentam o volume. Gostaríamos de substituir {qty}."), ("Pode enviar-nos uma proposta, por favor?", "Qual é o prazo de entrega neste momento?")),
            (("obrigada pelo contacto. Temos em armazém e entregamos em duas semanas.", "claro que sim. Segue a proposta {quote} em anexo."), ("O total é de {total}, com instalação incluída, válido até {valid}.", "São {total} no total. Se precisar de fitas para o primeiro mês, ofereço-as eu.")),
            (("a Inês aprovou. O número da encomenda é {po}.", "muito obrigado, está aprovado ({po})."), ("Podem entregar entre as {hour} e as {hour2} horas?", "Por favor, avisem um dia antes.")),
            (("obrigada! Entregamos no dia {day}, de manhã.", "confirmado. O Ben vai estar aí para a instalação."), ("",)),
        )),
        (("Leitor não liga", "Dúvida sobre devoluções", "Formação para a equipa da noite"), (
            (("um dos leitores deixou de ligar depois de cair. Ainda está na garantia?", "a equipa da noite tem dúvidas sobre as devoluções. Há algum material em português?"), ("Obrigada!", "")),
            (("está, e a queda está coberta pelo plano. Envie-o por favor com o número {delivery} na caixa.", "há sim: junto um guia curto e um vídeo de dez minutos."), ("",)),
            (("já seguiu hoje. Obrigada pela ajuda.", "excelente, era mesmo isto. A equipa agradece."), ("",)),
        )),
    ),
    "ja": (
        (("ハンディ端末{qty}台の見積依頼", "{site}倉庫の端末追加について", "端末更新のご相談"), (
            (("{start}より夜間シフトを開始するため、ハンディ端末を{qty}台追加したいと考えております。", "現在使用している端末が老朽化しており、{qty}台の入れ替えを検討しています。"), ("充電器を含めたお見積りをいただけますでしょうか。", "納期の目安も併せてお知らせください。")),
            (("お問い合わせいただき、ありがとうございます。", "ご連絡ありがとうございます。在庫を確認いたしました。"), ("見積書（{quote}）を添付いたします。合計は{total}、有効期限は{valid}です。納期は約三週間です。",)),
            (("見積書を拝受しました。社内で検討のうえ、{meeting}までにご連絡いたします。", "ありがとうございます。一点確認ですが、冷蔵エリアでも使用できますでしょうか。"), ("",)),
            (("はい、マイナス十度まで対応しております。ご不明な点がございましたら、いつでもお知らせください。", "承知いたしました。ご連絡をお待ちしております。"), ("",)),
            (("社内の承認が下りましたので、正式に発注いたします。注文番号は{po}です。", "この内容で進めてください。注文番号：{po}"), ("納品は平日の午前中にお願いいたします。",)),
        )),
        (("ラベルが印刷できません", "在庫数の不一致について", "{station} の端末が接続できない"), (
            (("今朝から {station} のプリンターでラベルが印刷できなくなりました。電源とネットワークのランプは点灯しています。", "商品 {sku} の在庫数がシステムと実棚で{num}個異なっています。"), ("お手数ですが、ご確認をお願いいたします。", "出荷に影響が出ておりますので、至急ご対応いただけますと助かります。")),
            (("ご不便をおかけして申し訳ございません。ログを確認しております。", "ご連絡ありがとうございます。担当の田中です。"), ("最後に正常に動作した時刻をお教えいただけますでしょうか。",)),
            (("昨日の{hour2}時頃までは問題ありませんでした。", "本日の{hour}時頃からです。"), ("",)),
            (("原因が判明しました。ネットワークの設定変更によるもので、こちらで修正いたしました。", "二重に登録された入荷が一件ございました。訂正いたしましたので、ご確認ください。"), ("今後同じことが起きないよう、設定も見直しました。", "")),
            (("正常に動作することを確認しました。迅速なご対応に感謝いたします。", "解決しました。ありがとうございました。"), ("",)),
        )),
    ),
    "ar": (
        (("طلب عرض سعر لـ {qty} جهاز", "توسعة مستودع {site}", "أجهزة قراءة جديدة"), (
            (("نحتاج إلى {qty} جهاز قراءة لمستودع {site} قبل {start}.", "سنبدأ وردية ثانية في {start} ونحتاج إلى {qty} جهازاً إضافياً."), ("هل يمكنكم إرسال عرض سعر يشمل الشواحن؟", "ما هي مدة التسليم حالياً؟")),
            (("شكراً لتواصلكم معنا. يسعدنا تقديم العرض.", "أهلاً وسهلاً، الأجهزة متوفرة لدينا."), ("تجدون العرض {quote} مرفقاً. الإجمالي {total} وهو صالح حتى {valid}.",)),
            (("وصل العرض، شكراً. هل تعمل الأجهزة في غرف التبريد؟", "السعر أعلى قليلاً مما توقعناه. هل يمكن تخفيض {discount} %؟"), ("",)),
            (("نعم، تعمل حتى عشر درجات تحت الصفر.", "يمكننا ذلك إذا تم الطلب قبل {valid}."), ("أنا في خدمتكم لأي سؤال.", "")),
            (("تمت الموافقة. رقم أمر الشراء {po}.", "ممتاز، نؤكد الطلب برقم {po}."), ("نرجو التسليم صباحاً.", "شكراً جزيلاً.")),
        )),
        (("فجوة في سجل الحرارة", "الطابعة لا تعمل في {station}", "مشكلة في تسجيل الدخول"), (
            (("هناك فجوة في سجل الحرارة أمس بين الساعة {hour} و{hour2}، والمدقق سيزورنا يوم {day}.", "الطابعة في {station} لا تطبع منذ الصباح."), ("نرجو المساعدة في أقرب وقت.",)),
            (("نأسف لذلك. هل انقطعت الكهرباء في ذلك الوقت؟", "شكراً للإبلاغ. هل تظهر الطابعة متصلة في القائمة؟"), ("",)),
            (("نعم، لمدة قصيرة.", "لا، تظهر غير متصلة."), ("",)),
            (("احتفظ الحساس بالقراءات، وقد استرجعناها. السجل كامل الآن.", "تغير عنوان الطابعة في الشبكة، وقد صححناه."), ("هل يمكنكم التأكد من جانبكم؟",)),
            (("كل شيء يعمل الآن. شكراً على سرعتكم!", "تأكدت، السجل كامل. بارك الله فيكم."), ("",)),
        )),
    ),
}
