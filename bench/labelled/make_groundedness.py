"""Writes groundedness.jsonl: statements held against documents, each true, false, or beyond comparison (null).

    python bench/labelled/make_groundedness.py

Every theme is written by hand: two things with an attribute each, and sentences about them; the items are composed of
its parts by rule. `passed` says what is so of the answer as a whole: true when the documents state all of it, false when
they say otherwise of any part, null when they neither state nor exclude it, or when only understanding could tell.
"""

# ruff: noqa: E501  # sentences stay on one line

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Theme(NamedTuple):
    """`{s}` is the thing, `{v}` its value; a second thing stands in the documents with a value of its own.

    `same`: the value in other clothes. `wrong`: a value of neither. `unit`: the number with another unit, "" for none.
    `near`: a paraphrase of like words. `far`: one in other words. `denied`: the sentence turned round.
    `more`: a sentence that the documents hold, `else_`: one that they know nothing of.
    """

    language: str
    says: str
    s: str
    v: str
    s2: str
    v2: str
    s3: str
    same: str
    wrong: str
    unit: str
    near: str
    far: str
    denied: str
    more: str
    else_: str
    question: str


THEMES = (
    Theme("en", "The {s} costs {v} per month.", "Harbor plan", "$12", "Summit plan", "$30", "Meadow plan", "12 dollars",
          "$19", "12 euros", "Per month, the {s} costs {v}.", "Subscribers to the {s} part with {v} every four weeks or so.",
          "The {s} does not cost {v} per month.", "Invoices are sent by e-mail.", "Invoices are printed on blue paper.",
          "What does the Harbor plan cost per month?"),
    Theme("en", "The {s} was opened in {v}.", "Kestrel Bridge", "May 1932", "Otter Bridge", "June 1954", "Heron Bridge",
          "May of 1932", "May 1937", "", "In {v}, the {s} was opened.", "Traffic first rolled across the {s} in {v}.",
          "The {s} was not opened in {v}.", "Its towers are made of granite.", "Its engineer had studied in Vienna.",
          "When was the Kestrel Bridge opened?"),
    Theme("en", "The battery of the {s} lasts {v}.", "Lumen 3", "10 hours", "Lumen 5", "16 hours", "Lumen 9", "ten hours",
          "14 hours", "10 days", "The {s} battery lasts {v}.", "You can leave the charger for the {s} at home for {v}.",
          "The battery of the {s} does not last {v}.", "The case is waterproof.", "The case was designed in Oslo.",
          "How long does the battery of the Lumen 3 last?"),
    Theme("en", "Refunds for {s} are paid within {v}.", "cancelled orders", "five business days", "returned gifts",
          "20 business days", "damaged parcels", "5 business days", "30 business days", "five hours",
          "We pay refunds for {s} within {v}.", "If you call off what you bought, your money is back in {v}.",
          "Refunds for {s} are not paid within {v}.", "Shipping fees are not refunded.", "Gift cards have no serial number.",
          "How long do refunds for cancelled orders take?"),
    Theme("en", "{s} employs {v} people.", "Northwind Foods", "4,200", "Southgate Mills", "980", "Eastfield Dairy", "4200",
          "4,700", "", "At {s}, {v} people are employed.", "The payroll of {s} lists {v} names.",
          "{s} does not employ {v} people.", "Both firms are located in Leeds.", "Both firms sponsor a football club.",
          "How many people does Northwind Foods employ?"),
    Theme("en", "Visitors to the {s} must be at least {v} old.", "climbing hall", "14 years", "rifle range", "18 years",
          "diving pool", "fourteen years", "12 years", "14 months", "To visit the {s}, visitors must be at least {v} old.",
          "Nobody below {v} gets into the {s}.", "Visitors to the {s} need not be at least {v} old.",
          "Lockers need a one-euro coin.", "The floor was renewed last spring.", "How old must visitors to the climbing hall be?"),
    Theme("en", "The {s} is open from Tuesday until {v}.", "toy museum", "Saturday", "rail museum", "Sunday", "wax museum",
          "saturday", "Friday", "", "From Tuesday until {v} the {s} is open.", "On Mondays and after {v} the {s} has its rest.",
          "The {s} is not open from Tuesday until {v}.", "Dogs are not allowed inside.", "The café sells carrot cake.",
          "Until which day is the toy museum open?"),
    Theme("en", "Water in the {s} is kept at {v}.", "children's pool", "31 °C", "sports pool", "26 °C", "outdoor pool",
          "31 degrees Celsius", "34 °C", "31 °F", "In the {s}, water is kept at {v}.",
          "Little ones splash about at {v} in the {s}.", "Water in the {s} is not kept at {v}.",
          "Swimming caps are required.", "The slide is painted green.", "How warm is the water in the children's pool?"),
    Theme("en", "Sales of {s} rose by {v} in 2023.", "tea", "4 percent", "coffee", "9 percent", "cocoa", "4%", "6 percent",
          "4 percentage points", "In 2023, sales of {s} rose by {v}.", "{s} sold {v} better in 2023 than the year before.",
          "Sales of {s} did not rise by {v} in 2023.", "The report was published in March 2024.",
          "The report was printed in Ghent.", "By how much did sales of tea rise in 2023?"),
    Theme("en", "The capital of {s} is {v}.", "Arvonia", "Testrel", "Belmark", "Quorin", "Cadia", "Testrel", "Vandor", "",
          "{v} is the capital of {s}.", "The government of {s} sits in {v}.", "The capital of {s} is not {v}.",
          "Both states use the crown as currency.", "Both states have a navy.", "What is the capital of Arvonia?"),
    Theme("en", "The {s} weighs {v}.", "Trail tent", "2.4 kg", "Family tent", "6.1 kg", "Alpine tent", "2400 g", "2.9 kg",
          "2.4 g", "The weight of {v} is what the {s} weighs.", "Pack the {s} and your back carries {v}.",
          "The {s} does not weigh {v}.", "Both tents sleep two adults.", "The poles come from a factory in Busan.",
          "How much does the Trail tent weigh?"),
    Theme("en", "{s} was written by {v}.", "The Salt Road", "Ines Calder", "The Glass Orchard", "Tomas Reiff", "The Iron Fair",
          "Calder", "Ruth Ambler", "", "{v} wrote {s}.", "{s} came from the pen of {v}.", "{s} was not written by {v}.",
          "Both novels were published by Lantern Press.", "Both novels were read on the radio.", "Who wrote The Salt Road?"),
    Theme("en", "Complaint {s} was closed on {v}.", "RC-20418", "3 March 2024", "RC-20481", "9 April 2024", "RC-30777",
          "March 3, 2024", "13 March 2024", "", "On {v}, complaint {s} was closed.", "By the evening of {v} nobody worked on {s}.",
          "Complaint {s} was not closed on {v}.", "Customers are informed by letter.", "The archive is in the cellar.",
          "When was complaint RC-20418 closed?"),
    Theme("en", "The {s} holds up to {v} passengers.", "Sparrow ferry", "250", "Falcon ferry", "640", "Raven ferry",
          "two hundred and fifty", "350", "", "Up to {v} passengers is what the {s} holds.",
          "Beyond {v} tickets, the {s} is sold out.", "The {s} does not hold up to {v} passengers.",
          "Bicycles travel free of charge.", "The captain comes from Malta.", "How many passengers does the Sparrow ferry hold?"),
    Theme("en", "The warranty of the {s} covers {v}.", "city bike", "rust", "mountain bike", "broken spokes", "cargo bike",
          "rust", "theft", "", "{v} is covered by the warranty of the {s}.", "Should your {s} go brown, the maker steps in.",
          "The warranty of the {s} does not cover {v}.", "Every warranty ends after 24 months.", "It is written in four languages.",
          "What does the warranty of the city bike cover?"),
    Theme("en", "The library lends {s} for {v}.", "novels", "three weeks", "films", "five days", "maps", "21 days", "four weeks",
          "three months", "For {v}, the library lends {s}.", "Bring your {s} back when {v} are over.",
          "The library does not lend {s} for {v}.", "Reading at the tables is free.", "The roof has solar panels.",
          "For how long does the library lend novels?"),
    Theme("en", "The river {s} is {v} long.", "Tarn", "180 km", "Welde", "95 km", "Osk", "180 kilometres", "130 km", "180 m",
          "The {s}, a river, is {v} long.", "From spring to sea the {s} runs {v}.", "The river {s} is not {v} long.",
          "Both rivers flow into the same lake.", "Trout were set free there in autumn.", "How long is the river Tarn?"),
    Theme("de", "Die Rückerstattung für {s} dauert {v}.", "Bücher", "fünf Werktage", "Möbel", "zwölf Werktage", "Lampen",
          "5 Werktage", "9 Werktage", "fünf Stunden", "Für {s} dauert die Rückerstattung {v}.",
          "Wer {s} zurückschickt, hat nach {v} sein Geld.", "Die Rückerstattung für {s} dauert nicht {v}.",
          "Der Versand ist kostenlos.", "Das Lager steht in Kassel.", "Wie lange dauert die Rückerstattung für Bücher?"),
    Theme("de", "Der Tarif {s} kostet {v} im Monat.", "Basis", "9,90 €", "Komfort", "24,50 €", "Familie", "9,90 Euro", "11,90 €",
          "9,90 $", "Im Monat kostet der Tarif {s} {v}.", "Für {s} zahlen Sie alle vier Wochen {v}.",
          "Der Tarif {s} kostet nicht {v} im Monat.", "Die Rechnung kommt per Post.", "Der Umschlag ist gelb.",
          "Was kostet der Tarif Basis im Monat?"),
    Theme("de", "Das Museum {s} wurde im Mai {v} eröffnet.", "Ahorn", "1968", "Birke", "1981", "Linde", "1968", "1974", "",
          "Im Mai {v} wurde das Museum {s} eröffnet.", "Seit Mai {v} gehen Besucher durch das Haus {s}.",
          "Das Museum {s} wurde nicht im Mai {v} eröffnet.", "Hunde sind nicht erlaubt.", "Der Architekt lebte in Prag.",
          "Wann wurde das Museum Ahorn eröffnet?"),
    Theme("de", "Der Akku der {s} hält {v}.", "Nova 2", "12 Stunden", "Nova 7", "20 Stunden", "Nova 9", "zwölf Stunden",
          "15 Stunden", "12 Tage", "{v} hält der Akku der {s}.", "Mit der {s} kommen Sie {v} ohne Steckdose aus.",
          "Der Akku der {s} hält nicht {v}.", "Das Gehäuse ist wasserdicht.", "Das Gehäuse stammt aus Turin.",
          "Wie lange hält der Akku der Nova 2?"),
    Theme("fr", "Le remboursement des {s} prend {v}.", "livres", "cinq jours ouvrés", "meubles", "douze jours ouvrés", "lampes",
          "5 jours ouvrés", "9 jours ouvrés", "cinq heures", "Pour les {s}, le remboursement prend {v}.",
          "Qui rend des {s} revoit son argent après {v}.", "Le remboursement des {s} ne prend pas {v}.",
          "La livraison est gratuite.", "Le dépôt se trouve à Lille.", "Combien de temps prend le remboursement des livres ?"),
    Theme("fr", "Le forfait {s} coûte {v} par mois.", "Azur", "9,90 €", "Rubis", "24,50 €", "Jade", "9,90 euros", "11,90 €", "9,90 $",
          "Par mois, le forfait {s} coûte {v}.", "Avec {s}, votre compte s'allège de {v} toutes les quatre semaines.",
          "Le forfait {s} ne coûte pas {v} par mois.", "La facture arrive par courrier.", "L'enveloppe est jaune.",
          "Combien coûte le forfait Azur par mois ?"),
    Theme("fr", "Le pont {s} a été ouvert en {v}.", "Mirabel", "mai 1932", "Corvin", "juin 1954", "Sablon", "mai 1932", "mai 1939", "",
          "En {v}, le pont {s} a été ouvert.", "Les premières voitures ont franchi {s} en {v}.",
          "Le pont {s} n'a pas été ouvert en {v}.", "Ses tours sont en granit.", "Son ingénieur aimait la musique.",
          "Quand le pont Mirabel a-t-il été ouvert ?"),
    Theme("es", "El reembolso de los {s} tarda {v}.", "libros", "cinco días hábiles", "muebles", "doce días hábiles", "relojes",
          "5 días hábiles", "9 días hábiles", "cinco horas", "Para los {s}, el reembolso tarda {v}.",
          "Quien devuelve {s} ve su dinero a los {v}.", "El reembolso de los {s} no tarda {v}.",
          "La entrega es gratuita.", "El almacén queda en Vigo.", "¿Cuánto tarda el reembolso de los libros?"),
    Theme("es", "La tarifa {s} cuesta {v} al mes.", "Clara", "9,90 €", "Plena", "24,50 €", "Doble", "9,90 euros", "11,90 €", "9,90 $",
          "Al mes, la tarifa {s} cuesta {v}.", "Con {s} se le van {v} cada cuatro semanas.",
          "La tarifa {s} no cuesta {v} al mes.", "La factura llega por correo.", "El sobre es amarillo.",
          "¿Cuánto cuesta la tarifa Clara al mes?"),
    Theme("es", "El puente {s} se abrió en {v}.", "Almagro", "mayo de 1932", "Tordera", "junio de 1954", "Segura", "mayo 1932",
          "mayo de 1939", "", "En {v} se abrió el puente {s}.", "Los primeros coches cruzaron {s} en {v}.",
          "El puente {s} no se abrió en {v}.", "Sus torres son de granito.", "Su ingeniero amaba la música.",
          "¿Cuándo se abrió el puente Almagro?"),
)  # fmt: skip


def kinds(t: Theme) -> Iterator[tuple[str, str, bool | None]]:
    """Answers of every kind to a theme's documents, with what is so of them."""
    first = t.says.format(s=t.s, v=t.v)
    yield "stated", first, True
    yield "value in another form", t.says.format(s=t.s, v=t.same), True
    yield "near paraphrase", t.near.format(s=t.s, v=t.v), True
    yield "far paraphrase", t.far.format(s=t.s, v=t.v), None
    yield "other value", t.says.format(s=t.s, v=t.wrong), False
    yield "value of the distractor", t.says.format(s=t.s, v=t.v2), False
    yield "near paraphrase, other value", t.near.format(s=t.s, v=t.wrong), False
    yield "negation", t.denied.format(s=t.s, v=t.v), False
    yield "thing not in the documents", t.says.format(s=t.s3, v=t.v), None
    yield "not in the documents", t.else_, None
    yield "two supported", f"{first} {t.more}", True
    yield "one of two contradicted", f"{t.more} {t.says.format(s=t.s, v=t.v2)}", False
    yield "one of two not in the documents", f"{first} {t.else_}", None
    if t.unit:
        yield "other unit", t.says.format(s=t.s, v=t.unit), False


def documents(t: Theme, number: int) -> list[dict[str, Any]]:
    """The theme's documents: one or two, the distractor before or after."""
    mine, other = t.says.format(s=t.s, v=t.v), t.says.format(s=t.s2, v=t.v2)
    if number % 3 == 0:
        return [{"id": "a", "text": f"{mine} {other} {t.more}"}]
    if number % 3 == 1:
        return [{"id": "a", "text": other}, {"id": "b", "text": f"{mine} {t.more}"}]
    return [{"id": "a", "text": f"{t.more} {mine}"}, {"id": "b", "text": other}]


SINGLES: tuple[tuple[str, str, str, bool | None, str], ...] = (
    ("Paris is the capital of France. Berlin is the capital of Germany.", "q", "Paris is the capital of Germany.", False, "copied distractor"),
    ("The store is closed on Sunday.", "Is the store open on Sunday?", "Yes.", False, "no claim"),
    ("The store is closed on Sunday.", "Is the store open on Sunday?", "I hope this helps! Let me know if you need more.", False, "no claim"),
    ("The store is closed on Sunday.", "Is the store open on Sunday?", "No, the store is closed on Sunday.", True, "answer after no"),
    ("The store is closed on Sunday.", "Is the store open on Sunday?", "Yes, the store is open on Sunday.", False, "opposite word"),
    ("The store is closed on Sunday.", "Is the store open on Sunday?", "The store is not open on Sunday.", True, "double negation"),
    ("Basic costs $10. Premium costs $20.", "What does Basic cost?", "$10.", True, "fragment"),
    ("Basic costs $10. Premium costs $20.", "What does Basic cost?", "$20.", False, "fragment of the distractor"),
    ("Red Fox bought Blue Hen in 2019.", "q", "Red Fox bought Blue Hen in 2019.", True, "stated"),
    ("Red Fox bought Blue Hen in 2019.", "q", "Blue Hen was bought by Red Fox in 2019.", True, "passive voice"),
    ("Red Fox bought Blue Hen in 2019.", "q", "Blue Hen bought Red Fox in 2019.", False, "roles swapped"),
    ("Prices rose from $5 to $8.", "q", "Prices rose from $8 to $5.", False, "order of values"),
    ("Prices rose from $5 to $8.", "q", "Prices rose to $8.", True, "stated in part"),
    ("Delivery takes 3 to 5 days.", "q", "Delivery takes 3–5 days.", True, "range"),
    ("Delivery takes 3 to 5 days.", "q", "Delivery takes 5 to 7 days.", False, "range"),
    ("Delivery takes 3 to 5 days.", "q", "Delivery takes 4 days.", None, "inside a range"),
    ("Members may bring one guest.", "q", "Members bring one guest.", None, "modality dropped"),
    ("Returns are free only for members.", "q", "Returns are free.", None, "condition dropped"),
    ("Returns are free unless the item was worn.", "q", "Returns are free.", None, "condition dropped"),
    ("The merger is expected to close in 2026.", "q", "The merger closes in 2026.", None, "modality dropped"),
    ("The rule applies to persons over 65.", "q", "The rule applies to persons under 65.", False, "bound turned round"),
    ("At most 40 people may enter.", "q", "At least 40 people may enter.", False, "bound turned round"),
    ("The file is 2 GB.", "q", "The file is 2000 MB.", True, "unit conversion"),
    ("The file is 2 GB.", "q", "The file is 2 MB.", False, "other unit"),
    ("The race is 10 km long.", "q", "The race is 10,000 m long.", True, "unit conversion"),
    ("The race is 10 km long.", "q", "The race is 10 miles long.", False, "other unit"),
    ("The shift ends at 5 pm.", "q", "The shift ends at 17:00.", True, "clock"),
    ("The shift ends at 5 pm.", "q", "The shift ends at 5 am.", False, "clock"),
    ("The deadline is 2024-03-05.", "q", "The deadline is March 5, 2024.", True, "date format"),
    ("The deadline is 2024-03-05.", "q", "The deadline is March 6, 2024.", False, "date shifted"),
    ("The deadline is 2024-03-05.", "q", "The deadline is in March 2024.", True, "less precise date"),
    ("The deadline is in March 2024.", "q", "The deadline is March 5, 2024.", None, "more precise date"),
    ("The manual says: keep away from open fire at all times.", "q", "The manual says: “keep away from open fire at all times”.", True, "quotation"),
    ("The manual says: keep away from open fire at all times.", "q", "The manual says: “keep close to open fire at all times”.", False, "altered quotation"),
    ("| Plan | Price | Seats |\n|---|---|---|\n| Solo | $5 | 1 |\n| Team | $25 | 10 |", "q", "The price of the Team plan is $25.", True, "table"),
    ("| Plan | Price | Seats |\n|---|---|---|\n| Solo | $5 | 1 |\n| Team | $25 | 10 |", "q", "The price of the Team plan is $5.", False, "table"),
    ("The kit includes a lamp, a rope and a map.", "What is in the kit?", "The kit includes:\n- a lamp\n- a rope\n- a map", True, "list"),
    ("The kit includes a lamp, a rope and a map.", "What is in the kit?", "The kit includes:\n- a lamp\n- a stove", None, "list with another item"),
    ("", "q", "The store is closed on Sunday.", False, "no document"),
    ("Acme was founded in 1990 by Maria Keller. It employs 500 people.", "q", "Acme was founded in 1990. The company employs 500 people.", True, "pronoun"),
    ("Acme was founded in 1990. Zenith was founded in 1985. It employs 500 people.", "q", "Acme was founded in 1990. It employs 500 people.", None, "pronoun of another"),
)  # fmt: skip


def items() -> Iterator[dict[str, Any]]:
    """All items, in order."""
    for number, theme in enumerate(THEMES):
        for i, (kind, answer, passed) in enumerate(kinds(theme)):
            case = {"input": theme.question, "context": documents(theme, number)}
            item = {"id": f"{theme.language}-{number}-{i}", "case": case, "output": answer, "passed": passed}
            yield {**item, "kind": f"{theme.language}: {kind}" if theme.language != "en" else kind}
    for i, (context, question, answer, passed, kind) in enumerate(SINGLES):
        case = {"input": question, "context": [context] if context else []}
        yield {"id": f"single-{i}", "case": case, "output": answer, "passed": passed, "kind": kind}


if __name__ == "__main__":
    lines = [json.dumps(item, ensure_ascii=False) for item in items()]
    Path(__file__).with_name("groundedness.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    print(len(lines), "items")
