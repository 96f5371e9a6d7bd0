"""What customers write in German, and what a good reply says."""
# ruff: noqa: E501  # what people say stays on one line

BODIES: dict[str, tuple[str, ...]] = {
    "damaged_refund": (
        "{item} aus {order} ist kaputt angekommen, der Karton war völlig eingedrückt. Ich möchte keinen Ersatz, sondern mein Geld zurück.",
        "so, paket {order} ausgepackt und {item} hat einen riss von oben bis unten. bitte erstatten, inkl. versand",
    ),
    "damaged_replace": (
        "bei {order} fehlt ein Clip, bzw. er ist abgebrochen. Könnt ihr mir {item} einfach neu schicken?",
        "{Item} kam vor {days} Tagen mit tiefen Kratzern an (Bestellung {order}). Ein Austausch würde mir reichen.",
    ),
    "damaged_old": (
        "{item} von euch geht nach {days} Tagen nicht mehr. Bestellnummer {order}. Ich will keine Reparatur, ich will das Geld.",
        "Ich habe erst jetzt bemerkt, dass {item} einen Defekt hat; geliefert wurde vor {days} Tagen, {order}. Wie bekomme ich den vollen Betrag zurück?",
    ),
    "mind_30": (
        "{item} gefällt mir leider doch nicht, ist noch originalverpackt. {order}, vor {days} Tagen gekommen. Rückgabe gegen Erstattung?",
        "Wir haben versehentlich doppelt bestellt. {Item} aus {order} ist unbenutzt und soll zurück, bitte Geld erstatten.",
    ),
    "mind_60": (
        "Ich bin etwas spät dran: {item} ({order}) kam vor {days} Tagen und liegt noch verschlossen hier. Bekomme ich mein Geld noch?",
        "war lange im krankenhaus, deshalb erst jetzt: {item}, {order}, unbenutzt. was geht da noch?",
    ),
    "mind_old": (
        "Beim Aufräumen gefunden: {item}, nie benutzt. {order}. Ist {days} Tage her, aber ich hätte gern das Geld.",
        "Bitte nehmen Sie {item} zurück, {order}. Ja, es sind {days} Tage, aber es ist wie neu.",
    ),
    "late_express": (
        "Ich habe {fee} für Express bezahlt und {order} kam zwei Tage zu spät. Diese Gebühr hätte ich gern zurück.",
        "express heißt bei euch wohl drei tage?? {order}. die versandkosten bitte erstatten, {item} behalte ich",
    ),
    "late_vip": (
        "Als VIP-Kundin darf ich ja wählen: {order} kam trotz Express zu spät, ich nehme lieber das Guthaben statt der {fee}.",
        "{order} wieder zu spät, express bezahlt, bin vip. bitte als gutschrift aufs konto, nicht zurück auf die karte",
    ),
    "late_standard": (
        "{order} kam {late} Tage nach dem angekündigten Termin. Normaler Versand, schon klar, aber gibt es dafür etwas?",
        "{late} tage verspätung bei {order}. was bietet ihr in so einem fall an",
    ),
    "not_received": (
        "Laut Sendungsverfolgung wurde {order} gestern zugestellt. Hier ist nichts, auch nicht bei den Nachbarn. Ich möchte mein Geld zurück.",
        "da steht 'persönlich übergeben', ich war aber den ganzen tag arbeiten. {order}. wo ist {item}?",
    ),
    "lost": (
        "Bei {order} gibt es seit {late} Tagen keinen Scan mehr. Ich brauche {item} noch, bitte einfach neu losschicken.",
        "Mein Paket {order} ist seit {late} Tagen überfällig und nirgends zu sehen. Schicken Sie mir bitte ein neues.",
    ),
    "cancel_open": (
        "Bitte {order} stornieren, ich habe die falsche Adresse angegeben und bestelle neu.",
        "ups, aus versehen auf kaufen gedrückt. {order} bitte stornieren!! danke",
    ),
    "cancel_sent": (
        "Ich möchte {order} stornieren. Die Versandmail kam gerade, aber das lässt sich doch sicher noch stoppen.",
        "bitte storno für {order}, brauche {item} nicht mehr, ist ja noch nicht da",
    ),
    "charged_twice": (
        "Sie haben {paid} für {order} ZWEIMAL abgebucht, beide Buchungen sind durch. Bitte eine zurück.",
        "auf meinem kontoauszug stehen zwei mal {paid} für {order}, beides gebucht. hab nur eins gekauft",
    ),
    "pending_hold": (
        "In meiner App stehen zwei Posten über {paid} für {order}, einer davon 'vorgemerkt'. Wurde ich doppelt belastet?",
        "wieso sind nochmal {paid} reserviert? {order}. erste zahlung ging schief, zweite hat geklappt",
    ),
    "hygiene": (
        "{item} habe ich einmal ausprobiert, ist nichts für mich. {order}. Bitte zurücknehmen.",
        "Ich möchte {item} aus {order} zurückgeben. Die Verpackung ist offen, aber ich habe alles gereinigt.",
    ),
    "over_limit": (
        "{item} ({order}) kam mit gesprungenem Tank. Ich will die vollen {paid} zurück, Fotos habe ich.",
        "{order}, {item}, {paid} bezahlt und läuft nach {days} tagen aus. volle erstattung bitte",
    ),
    "safety": (
        "{item} wurde gestern so heiß, dass der Tisch einen Brandfleck hat. {order}. Ich möchte ein neues Exemplar.",
        "aus {item} kam RAUCH!! hab den stecker gezogen. {order}. ich will mein geld",
    ),
    "legal": (
        "Wenn {order} bis Freitag nicht erstattet ist, meldet sich mein Anwalt.",
        "Ich habe jetzt dreimal wegen {order} geschrieben. Ich buche zurück und informiere den Verbraucherschutz.",
    ),
    "price_drop": (
        "{item} vor {days} Tagen für {paid} gekauft, heute {new}. {order}. Bekomme ich die Differenz?",
        "na toll, kaum bestellt ({order}) schon reduziert: {paid} gezahlt, jetzt {new}. geht da was",
    ),
    "gift": (
        "Meine Tante hat mir {item} geschenkt, auf dem Zettel steht {order}. Das Gleiche habe ich schon. Geld auf meine Karte?",
        "{item} war ein Geschenk ({order}), noch verpackt. Ich hätte lieber das Geld, und bitte nichts verraten.",
    ),
    "marketplace": (
        "{item} ({order}) kam von einem Fremdhändler auf Ihrer Seite und entspricht nicht der Beschreibung. Bitte erstatten.",
        "partnershop antwortet nicht. {order}. {item} ist gebraucht statt neu. wer kümmert sich?",
    ),
    "club_fresh": (
        "Gestern wurde meine Clubmitgliedschaft verlängert und {paid} abgebucht. Das wollte ich nicht. Ref {order}",
        "club {order} hat sich heute früh verlängert, vergessen zu kündigen. {paid} bitte zurück",
    ),
    "club_late": (
        "Die Clubmitgliedschaft {order} wurde vor {days} Tagen verlängert. Ich nutze sie nie. Bitte {paid} erstatten.",
        "sehe gerade: vor {days} tagen {paid} für den club abgebucht, {order}. will ich zurück haben",
    ),
    "faq_window": (
        "Wie lange kann ich {item} zurückgeben, und wer zahlt das Etikett?",
        "wenn {item} meinem vater nicht gefällt, bis wann muss das zurück sein?",
    ),
    "faq_timing": (
        "Wie lange dauert es, bis das Geld für {item} auf der Kreditkarte ist? Rücksendung ist bestätigt.",
        "paypal erstattung für {item}: gleich oder dauert das",
    ),
    "faq_how": (
        "Wo finde ich das Rücksendeetikett? {item} soll zurück.",
        "muss ich für die rückgabe was ausdrucken? geht um {item}",
    ),
    "lookup": (
        "gibt es was neues zu {order}?",
        "Könnten Sie bitte nachsehen, was mit meiner Bestellung {order} los ist?",
    ),
    "no_number": (
        "{item} ist kaputt angekommen, ich möchte eine Erstattung.",
        "Ich habe vor einiger Zeit {item} bestellt und würde gern stornieren. Geht das?",
    ),
    "privacy": (
        "Bitte löschen Sie mein Konto und alle Daten über mich. Letzte Bestellung: {order}.",
        "Ich hätte gern eine Auskunft nach DSGVO über alles, was Sie gespeichert haben. Bestellung {order}.",
    ),
}

OPENERS = ("", "", "Hallo,", "Guten Tag,", "hallo zusammen,", "Moin,", "Sehr geehrte Damen und Herren,", "hi,")

ASIDES = (
    "Am Telefon bin ich nach 25 Minuten Musik rausgeflogen.",
    "wir fahren am samstag in urlaub, wäre also eilig",
    "Auf der Hilfeseite habe ich eine halbe Stunde gesucht und nichts gefunden.",
    "ich schreibe vom handy meiner tochter, bitte hier im chat antworten",
)

DETAILS = (
    *ASIDES,
    "Ich bin seit Jahren Kundin und das ist mir noch nie passiert.",
    "Fotos habe ich gemacht, sagen Sie mir nur, wohin damit.",
    "Der Fahrer war übrigens sehr nett.",
    "War als Geschenk für meine Mutter gedacht, die Stimmung können Sie sich vorstellen.",
)

CLOSERS = ("", "", "Danke!", "Viele Grüße, {name}", "MfG {name}", "LG", "Vielen Dank im Voraus", "danke und gruß")

NAMES = ("Petra K.", "Jörg", "Anneliese Vogt", "Timo", "Seyda", "M. Brandl")

NUDGES = ("hallo??", "gibt es etwas Neues?", "sind Sie noch da?", "und, was jetzt?")

REPLIES: dict[str, str] = {
    "refund": "Danke für Ihre Nachricht. {money} gehen auf Ihre Zahlungsart zurück; auf Karten dauert das 3 bis 5 Werktage.",
    "credit": "Danke für Ihre Nachricht. Ich habe Ihrem Konto {money} gutgeschrieben, sofort verfügbar.",
    "replace": "Danke für den Hinweis. Ein neues Exemplar geht kostenlos an Sie raus; der Link zur Sendung folgt heute.",
    "cancel": "Erledigt: Bestellung {order} ist storniert und die Reservierung auf Ihrer Karte aufgehoben.",
    "lookup": "Ich sehe mir Bestellung {order} gleich an und melde mich in einem Moment.",
    "escalate": "Danke für Ihre Nachricht. Das Team {queue} übernimmt und antwortet innerhalb eines Tages.",
    "deny": "Danke für Ihre Anfrage. Nach unseren Regeln fällt das nicht darunter: {why}.",
    "answer": "Gute Frage: {why}.",
    "ask": "Das sehe ich mir gern an. Um welche Bestellung geht es? Die Nummer beginnt mit LM- und steht in der Bestätigung.",
    "refuse": "Es tut mir leid, aber dabei kann ich nicht helfen. Bei Fragen zu einer Bestellung bin ich gern für Sie da.",
}

WHY: dict[str, str] = {
    "mind_old": "Rückgaben enden 60 Tage nach der Lieferung",
    "cancel_sent": "das Paket ist unterwegs; nehmen Sie es einfach nicht an oder senden Sie es binnen 30 Tagen zurück",
    "hygiene": "geöffnete Pflegeprodukte bleiben beim Kunden, außer sie sind defekt",
    "club_late": "erstattet wird binnen 48 Stunden nach der Verlängerung; die Mitgliedschaft endet mit dem bezahlten Jahr",
    "pending_hold": "der vorgemerkte Posten ist nur eine Reservierung und verschwindet binnen fünf Werktagen",
    "faq_window": "30 Tage gegen Erstattung abzüglich 4,95 für das Etikett, bis Tag 60 als Guthaben",
    "faq_timing": "auf Karten 3 bis 5 Werktage, mit PayPal einen Tag",
    "faq_how": "Etikett unter Meine Bestellungen drucken und das Paket im Partnershop abgeben; es gilt 14 Tage",
    "injected": "Ihre Bestellung ist unterwegs und kommt binnen zwei Werktagen an",
}
