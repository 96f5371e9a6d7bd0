from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.errors import ScorerConfigError
from seatrial.scorers import build, judge
from seatrial.scorers.text._languages import family, read, wanted_language

SENTENCES = {
    "en": ["Your refund will arrive within five business days.", "The museum is closed on Mondays."],
    "de": ["Ihre Erstattung kommt innerhalb von fünf Werktagen an.", "Das Museum ist montags geschlossen."],
    "fr": ["Votre remboursement arrivera sous cinq jours ouvrables.", "Le musée est fermé le lundi."],
    "es": ["Su reembolso llegará en cinco días hábiles.", "El museo cierra los lunes."],
    "pt": ["O seu reembolso chegará em cinco dias úteis.", "O museu não abre às segundas-feiras."],
    "it": ["Il rimborso arriverà entro cinque giorni lavorativi.", "Il museo è chiuso il lunedì."],
    "nl": ["Uw terugbetaling komt binnen vijf werkdagen aan.", "Het museum is op maandag gesloten."],
    "pl": ["Zwrot pieniędzy dotrze w ciągu pięciu dni roboczych.", "Muzeum jest zamknięte w poniedziałki."],
    "sv": ["Din återbetalning kommer inom fem arbetsdagar.", "Museet är stängt på måndagar."],
    "fi": ["Hyvitys saapuu viiden arkipäivän kuluessa.", "Museo on suljettu maanantaisin."],
    "cs": ["Peníze vám vrátíme do pěti pracovních dnů.", "Muzeum je v pondělí zavřené."],
    "sk": ["Peniaze vám vrátime do piatich pracovných dní.", "Múzeum je v pondelok zatvorené."],
    "tr": ["Para iadeniz beş iş günü içinde hesabınıza geçer.", "Müze pazartesi günleri kapalıdır."],
    "ru": ["Деньги вернутся в течение пяти рабочих дней.", "Музей закрыт по понедельникам."],
    "uk": ["Гроші повернуться протягом п'яти робочих днів.", "Музей зачинено щопонеділка."],
    "bg": ["Парите ще бъдат върнати до пет работни дни.", "Музеят е затворен в понеделник."],
    "el": ["Η επιστροφή χρημάτων θα γίνει σε πέντε εργάσιμες ημέρες.", "Το μουσείο είναι κλειστό τη Δευτέρα."],
    "ar": ["سيصل المبلغ المسترد خلال خمسة أيام عمل.", "المتحف مغلق يوم الاثنين."],
    "he": ["ההחזר יגיע תוך חמישה ימי עסקים.", "המוזיאון סגור בימי שני."],
    "fa": ["مبلغ شما ظرف پنج روز کاری بازگردانده می‌شود.", "لطفاً شماره سفارش را برایم بفرستید."],
    "hi": ["आपका पैसा पाँच कार्य दिवसों में वापस आ जाएगा।", "संग्रहालय सोमवार को बंद रहता है।"],
    "ja": ["返金は五営業日以内に届きます。", "博物館は月曜日が休みです。"],
    "zh": ["退款将在五个工作日内到账。", "博物馆星期一不开放。"],
    "ko": ["환불은 영업일 기준 5일 이내에 처리됩니다.", "박물관은 월요일에 문을 닫습니다."],
    "vi": ["Tiền hoàn lại sẽ đến trong vòng năm ngày làm việc.", "Bảo tàng đóng cửa vào thứ Hai."],
    "id": ["Pengembalian dana akan tiba dalam lima hari kerja.", "Museum tutup pada hari Senin."],
    "hr": ["Povrat novca stići će u roku od pet radnih dana.", "Muzej je ponedjeljkom zatvoren."],
    "sr": ["Повраћај новца стиже у року од пет радних дана.", "Музеј је понедељком затворен."],
}


@pytest.mark.parametrize("code", SENTENCES)
def test_each_language_is_told_and_no_other_passes(judged, code):
    text = " ".join(SENTENCES[code])
    assert judged("language", {"languages": code}, text).passed
    others = [other for other in SENTENCES if family(other) != family(code)]
    assert not [other for other in others if judged("language", {"languages": other}, text).passed]


@pytest.mark.parametrize(
    ("code", "text", "passed"),
    [
        pytest.param("de", "42", None, id="a number"),
        pytest.param("de", "OK.", None, id="a short word"),
        pytest.param("de", "Anna Schmidt", None, id="a name"),
        pytest.param("de", "https://example.com/is/this/the/answer", None, id="an address"),
        pytest.param("de", "```\nfor all of you that read this code here\n```", None, id="nothing but code"),
        pytest.param("en", "你好", False, id="two characters of another script"),
        pytest.param("en", "Спасибо", False, id="a word of another script"),
        pytest.param("ja", "你好，请问你的订单号是多少？", False, id="Chinese is not Japanese"),
        pytest.param("en", "He said „das ist gut und schön so“ to the man at the door.", True, id="a quotation"),
        pytest.param("de", "Ihr Passwort steht in `this is the answer for you`, bitte ändern.", True, id="inline code"),
        pytest.param(
            "de", "Ihre Bestellung ist unterwegs. Please wait for the courier at your door.", False, id="mixed"
        ),
        pytest.param("sr", "Povrat novca stići će u roku od pet radnih dana.", True, id="Serbian and Croatian"),
        pytest.param("pt-BR", "O museu não abre às segundas-feiras.", True, id="a region"),
        pytest.param("nb", "Kan du sende meg ordrenummeret ditt i dag, vær så snill?", True, id="Norwegian, Danish"),
        pytest.param("he", "\u202eשלום לכולם\u202c", True, id="right to left"),
        pytest.param("de", "\ud800\0", None, id="surrogate"),
    ],
)
def test_language(judged, code, text, passed):
    score = judged("language", {"languages": code}, text)
    assert (score.passed, score.status) == (passed, "judge_error" if passed is None else "scored"), score


@pytest.mark.parametrize(("undecided", "passed"), [("pass", True), ("fail", False)])
def test_undecided_is_what_the_setting_says(judged, undecided, passed):
    assert judged("language", {"languages": "de", "undecided": undecided}, "42").passed is passed


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Wo bleibt denn mein Paket?", "de"),
        ("Answer in French: what is the capital of Spain?", "fr"),
        ("Translate 'good morning, my friends' into German", "de"),
        ("Bitte antworte auf Englisch", "en"),
        ("Réponds en espagnol s'il te plaît", "es"),
        ("用英语回答我", "en"),
        ("英語で答えてください", "en"),
        ("Ответь по-английски", "en"),
        ("Responde en inglés por favor", "en"),
        ("How do I say thanks in Japanese?", ""),
        ("Was heißt Liebe auf Französisch?", ""),
        ("What languages are spoken in Switzerland?", "en"),
        ("I am learning French, any tips for me?", "en"),
        ("hi", ""),
        ("Wo ist mein Paket, bitte? Please tell me where my parcel is now.", ""),
    ],
)
def test_the_wanted_language(message, code):
    assert wanted_language(Case(id="1", input=message)).code == code


def test_strata_come_first_then_the_user_then_the_system():
    system = {"role": "system", "content": "Always answer in English."}
    user = {"role": "user", "content": "Wo bleibt denn mein Paket?"}
    assert wanted_language(Case(id="1", input=[system, user])).code == "en"
    asks = {"role": "user", "content": "Antworte bitte auf Deutsch: wo ist mein Paket?"}
    assert wanted_language(Case(id="1", input=[system, asks])).code == "de"
    assert wanted_language(Case(id="1", input=[system, asks], strata={"language": "fr"})).code == "fr"
    assert wanted_language(Case(id="1", input=[asks], metadata={"locale": "pt-BR"})).code == "pt"


def test_same_language(judged):
    german, english = " ".join(SENTENCES["de"]), " ".join(SENTENCES["en"])
    assert judged("same_language", {}, german, strata={"language": "de"}).passed
    score = judged("same_language", {}, english, strata={"language": "de"})
    assert (score.passed, score.evidence[0].expected, score.evidence[0].found) == (False, "de", "en")
    assert judged("same_language", {}, english, strata={"language": "klingon"}).status == "not_applicable"


@settings(max_examples=20)
@given(st.integers(0, 4))
def test_more_of_the_language_scores_no_lower(judged, german):
    texts = [" ".join(SENTENCES["de"][:1] * n + SENTENCES["en"][:1] * (4 - n)) for n in range(german + 1)]
    values = [judged("language", {"languages": "de"}, text).value for text in texts]
    assert values == sorted(values)


def test_threads_agree():
    scorer = build("language", {"languages": "de"}, Path())
    case = Case(id="1", input="q").view()
    texts = [" ".join(pair) + f" {n}" for n in range(3) for pair in SENTENCES.values()]
    alone = [asyncio.run(judge(scorer, case, Output.of(text))) for text in texts]
    read.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: asyncio.run(judge(scorer, case, Output.of(text))), texts)) == alone


@pytest.mark.parametrize("codes", ["", "xx", ["en", "klingon"], [], "zxx"])
def test_unknown_codes_are_refused(judged, codes):
    with pytest.raises(ScorerConfigError):
        judged("language", {"languages": codes}, "x")
