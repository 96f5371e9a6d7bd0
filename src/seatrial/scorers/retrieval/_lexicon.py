"""Words that carry grammar rather than content, in English, German, French and Spanish: own lists, closed classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Lexicon(NamedTuple):
    """What is known of a language.

    `stop`: words that no claim rests on. `negators` turn a clause round. `auxiliaries` mark a clause of its own.
    `breaks` begin a clause. `limits` restrict ("only", "unless"), `doubts` weaken ("may", "is said to"); a claim that
    drops either says more than its source. `pronouns` stand for what was named before. `endings`: inflections.
    """

    stop: frozenset[str]
    negators: frozenset[str]
    auxiliaries: frozenset[str]
    breaks: frozenset[str]
    joins: frozenset[str]
    limits: frozenset[str]
    doubts: frozenset[str]
    pronouns: frozenset[str]
    generic: frozenset[str]
    endings: tuple[str, ...]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


ENGLISH = Lexicon(
    stop=_set(
        "a an the this that these those is are was were be been being am do does did have has had having will would"
        " shall can of in on at to for from by with as it its they them their he she his her him we us our you your i"
        " my me and or so such also both there here then than which who whom whose what when where why how about into"
        " over under between during through per up out off down again too very just still however therefore thus hence"
        " moreover furthermore additionally overall note yes please while whereas although though because since if"
        " get gets got take takes taking taken took make makes made use used uses using one ones itself themselves any"
        " each other way well currently now according based e g i.e etc s t re ve ll d m within until upon via"
        " amount amounts total totals stand stands lie lies located situated come comes go goes give gives given ago"
    ),
    negators=_set("not no never none neither nor cannot without nobody nothing nowhere isn't n't non hardly barely"),
    auxiliaries=_set(
        "is are was were has have had can will does do did may must shall would could should might cannot"
    ),
    breaks=_set("but while whereas although though because unless except however yet"),
    joins=_set("and or"),
    limits=_set("only unless except excluding provided solely exclusively until if"),
    doubts=_set(
        "may might could possibly perhaps probably likely reportedly allegedly supposedly rumoured rumored expected"
        " planned plans proposed considering estimated apparently suggests intends aims hopes should would"
        " called calls claim claimed claims believe believed believes allege alleged alleges argue argued argues"
    ),
    pronouns=_set("it its they their he she his her this these that those"),
    generic=_set("company firm product plan service device item model policy organisation organization it vehicle"),
    endings=("ations", "ation", "ments", "ment", "ings", "ing", "ied", "ies", "ed", "es", "ly", "s", "e", "y"),
)
GERMAN = Lexicon(
    stop=_set(
        "der die das den dem des ein eine einen einem einer eines ist sind war waren wird werden wurde wurden worden"
        " sein hat haben hatte hatten kann können zu in im am an auf für von vom mit bei beim aus als es er sie wir"
        " ihr ihre ihren ihrem ihrer sein seine seinen man und oder auch so dass wie was wer wo wann hier dort dann"
        " über unter zwischen nach vor durch pro je um bis seit ab zum zur dieser diese dieses diesem diesen jener"
        " sich selbst schon noch sehr ja bitte wobei während weil da denn wenn sowie jeweils laut gemäß derzeit"
        " innerhalb dauert dauern beträgt betragen liegt liegen gibt macht ca etwa insgesamt insbesondere ihnen du dein"
    ),
    negators=_set("nicht kein keine keinen keinem keiner keines nie niemals ohne weder noch nichts niemand"),
    auxiliaries=_set("ist sind war waren wird werden wurde wurden hat haben kann können muss müssen darf dürfen soll"),
    breaks=_set("aber während wohingegen obwohl weil sondern jedoch doch"),
    joins=_set("und oder"),
    limits=_set("nur außer sofern falls ausschließlich lediglich ausgenommen solange wenn"),
    doubts=_set(
        "vielleicht möglicherweise wahrscheinlich vermutlich angeblich voraussichtlich geplant soll sollte könnte"
    ),
    pronouns=_set("es er sie dieser diese dieses dies ihr ihre sein seine"),
    generic=_set("unternehmen firma produkt tarif dienst gerät modell"),
    endings=("ungen", "ung", "ern", "est", "em", "en", "er", "es", "et", "te", "e", "n", "s", "t"),
)
FRENCH = Lexicon(
    stop=_set(
        "ne le la les l un une des du de d au aux ce cet cette ces c est sont était étaient être"
        " été a ont avait avaient"
        " avoir sera seront peut peuvent à en dans sur pour par avec que qui quoi dont où quand comment et ou il elle"
        " ils elles on nous vous je tu se s y son sa ses leur leurs votre vos notre nos mon ma mes aussi ainsi très si"
        " comme plus entre pendant depuis jusqu jusque vers chez lors oui donc car même tout fait"
        " faire selon qu n j m t"
        " actuellement environ dure durent prend délai afin"
    ),
    negators=_set("pas non jamais aucun aucune sans ni rien personne nullement"),
    auxiliaries=_set("est sont était étaient a ont avait sera seront peut peuvent doit doivent"),
    breaks=_set("mais alors tandis bien parce cependant toutefois sauf"),
    joins=_set("et ou"),
    limits=_set("seulement uniquement sauf excepté hormis si exclusivement"),
    doubts=_set("peut-être probablement éventuellement prétendument serait pourrait devrait prévu envisage"),
    pronouns=_set("il elle ils elles ce cela ceci celui-ci celle-ci cette ces"),
    generic=_set("entreprise société produit forfait service appareil modèle"),
    endings=("ations", "ation", "ements", "ement", "ées", "ée", "és", "é", "er", "ent", "es", "e", "s"),
)
SPANISH = Lexicon(
    stop=_set(
        "el la los las lo un una unos unas de del al a en y o u e es son era eran fue fueron ser sido está están estaba"
        " ha han había haber tiene tienen será serán puede pueden que quien quién cual cuál cuando cuándo como cómo"
        " donde dónde por para con se su sus le les nos nuestro nuestra mi tu este esta estos estas ese esa esos esas"
        " aquel también así muy más entre durante desde hasta sobre si sí porque pues ya hay según actualmente usted"
        " ustedes yo ella ellos él plazo tarda tardan dura hace dentro unos aproximadamente"
    ),
    negators=_set("no nunca jamás sin ni ningún ninguna ninguno nada nadie tampoco"),
    auxiliaries=_set("es son era eran fue fueron está están ha han tiene tienen será puede pueden debe deben"),
    breaks=_set("pero mientras aunque porque sino salvo excepto"),
    joins=_set("y o"),
    limits=_set("solo sólo solamente únicamente salvo excepto si exclusivamente"),
    doubts=_set("quizá quizás tal probablemente posiblemente supuestamente podría sería debería previsto"),
    pronouns=_set("él ella ellos ellas este esta esto estos estas ese esa eso"),
    generic=_set("empresa compañía producto plan servicio dispositivo modelo"),
    endings=("aciones", "ación", "amientos", "amiento", "ados", "adas", "ado", "ada", "idos", "idas", "ido", "ida",
             "es", "os", "as", "ar", "er", "ir", "an", "en", "o", "a", "e", "s"),
)  # fmt: skip
LANGUAGES: Mapping[str, Lexicon] = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH, "es": SPANISH}

_EQUAL = """
refund reimbursement reimburse repay repaid | buy purchase bought | begin start started begun began commence
end finish conclude ended | help assist assistance | employee staff worker | customer client | price cost fee costs
phone telephone call | car automobile vehicle | large big | small little | quick fast rapid | show display | shut close
need require requirement necessary | allow permit permission allowed let | obtain receive received | film movie
error mistake fault | child children kid | doctor physician | photo photograph picture | firm company business-firm
deliver delivery ship shipping shipment shipped | build built construct construction | lead led leader head headed
found founded establish established | write wrote written author | send sent | pay paid payment | sell sold sale
choose chose chosen select | grow grew grown growth | rise rose risen increase | fall fell fallen decrease decline drop
keep kept retain | hold held | say said state | win won winner | lose lost loss | live lived reside
contain include comprise included | cover covered coverage | expire expiry expiration | locate location located situated
headquarters headquartered | cancel cancellation cancelled canceled | yearly annual annually | monthly month-by-month
free gratis complimentary | approximately around roughly | every all each-and-every | must obliged obligated
employ employed employs | operate operates run runs ran | launch launched release released introduce introduced
erstattung rückerstattung erstatten erstattet | kunde kundin kunden | preis preise kosten kostet | kaufen gekauft kauf
liefern lieferung geliefert versand versenden | gegründet gründen gründung gründete | kündigen kündigung gekündigt
enthalten enthält beinhaltet | beginnen beginnt begann beginn startet start | mitarbeiter beschäftigte angestellte
öffnet geöffnet offen öffnen | schließt geschlossen schließen | remboursement rembourser remboursé remboursés
client clients cliente
acheter achat acheté | prix coûte coûtent coût tarif-prix | precio cuesta cuestan coste costo
livraison livrer livré livrée | fondé fondée fonder fondation | inclure inclut comprend inclus
ouvre ouvert ouverte ouvrir | fermé fermée ferme fermer | reembolso reembolsos reembolsar reembolsa
comprar compra comprado
entrega entregar envío enviar | fundada fundado fundar fundó | incluye incluir incluido incluida
empleados trabajadores plantilla
abre abierto abierta abrir | cierra cerrado cerrada cerrar
"""
_OPPOSITE = """
open:closed close shut | include:exclude excluded omit | allow:forbid prohibit ban forbidden prohibited banned disallow
accept:reject refuse deny denied | rise increase grow gain:fall decrease shrink drop | before:after
more:less fewer | above:below | maximum:minimum | enable:disable | available:unavailable | valid:invalid
mandatory:optional voluntary | refundable:nonrefundable non-refundable | always:never-ever | win:lose | cheap:expensive
early:late | earlier:later | higher:lower | high:low | larger bigger:smaller | longer:shorter | faster:slower
old:new | older:newer younger | approve:disapprove | safe:unsafe dangerous | legal:illegal | able:unable
possible:impossible | successful:unsuccessful failed | succeed:fail | agree:disagree | true:false | right:left
internal:external | public:private | indoor:outdoor | import:export | inside:outside | active:inactive | paid:unpaid
first:last | north:south | east:west | day:night | taxable:tax-free exempt | waterproof:non-waterproof
geöffnet:geschlossen | enthalten:ausgeschlossen | erlaubt:verboten untersagt
steigen gestiegen:sinken gesunken gefallen
vor:nach | mehr:weniger | höher:niedriger | verfügbar:nicht-verfügbar | gültig:ungültig | möglich:unmöglich
ouvert:fermé | inclus:exclu exclue | autorisé permis:interdit interdite | augmenter augmenté:diminuer diminué baissé
avant:après | moins:davantage | gratuit:payant | possible:impossible
abierto:cerrado | incluido:excluido | permitido:prohibido | aumentar aumentó subió:disminuir disminuyó bajó
antes:después | menos:mayor | gratis:pago | posible:imposible
"""


def _groups(text: str) -> list[list[str]]:
    return [group.split() for line in text.strip().splitlines() for group in line.split("|") if group.split()]


def equals() -> dict[str, str]:
    """Word: the word that stands for its group of equivalents."""
    return {word: group[0] for group in _groups(_EQUAL) for word in group}


def opposites() -> dict[str, tuple[str, int]]:
    """Word: the word that stands for its pair of opposites, and the side (1 or -1) that it is on."""
    found: dict[str, tuple[str, int]] = {}
    for line in _OPPOSITE.strip().splitlines():
        for pair in line.split("|"):
            plus, _, minus = pair.partition(":")
            name = plus.split()[0]
            found |= {word: (f"±{name}", 1) for word in plus.split() if word not in found}
            found |= {word: (f"±{name}", -1) for word in minus.split() if word not in found}
    return found


MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero", "february feb februar février fevrier febrero",
            "march mar märz maerz mars marzo", "april apr avril abril", "may mai mayo",
            "june jun juni juin junio", "july jul juli juillet julio", "august aug août aout agosto",
            "september sep sept septembre septiembre", "october oct oktober okt octobre octubre",
            "november nov novembre noviembre", "december dec dezember dez décembre decembre diciembre",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
WEEKDAYS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "monday mondays montag montags lundi lunes", "tuesday tuesdays dienstag dienstags mardi martes",
            "wednesday wednesdays mittwoch mittwochs mercredi miércoles",
            "thursday thursdays donnerstag donnerstags jeudi jueves",
            "friday fridays freitag freitags vendredi viernes",
            "saturday saturdays samstag samstags sonnabend samedi sábado sábados",
            "sunday sundays sonntag sonntags dimanche domingo domingos",
        )
    )
    for name in names.split()
}  # fmt: skip
ABBREVIATIONS = _set(
    "mr mrs ms dr prof st no nr vs e.g i.e eg ie z.b d.h bzw ca approx inc ltd co corp dept fig vol ed al u.s u.k u.a"
    " jan feb mar apr jun jul aug sep sept oct nov dec mio mrd str tel usw etc art sr sra dra ud av cf env max min"
    " a.m p.m km kg bspw ggf inkl zzgl"
)
