"""What customers write in Italian, and what a good reply says."""
# ruff: noqa: E501  # what people say stays on one line

BODIES: dict[str, tuple[str, ...]] = {
    "damaged_refund": (
        "L'ordine {order} è arrivato e {item} ha una crepa enorme. Non voglio la sostituzione, voglio i soldi.",
        "apro il pacco {order} e {item} è in mille pezzi... rimborso per favore, spedizione compresa",
    ),
    "damaged_replace": ("{item} ha un pezzo rotto dalla consegna (ordine {order}). Mi mandate un altro esemplare?",),
    "damaged_old": (
        "{item} non funziona più dopo {days} giorni. Ordine {order}. Voglio il rimborso, non la riparazione.",
    ),
    "mind_30": (
        "ho cambiato idea: {item}, scatola mai aperta. {order}, consegna {days} giorni fa. si può fare il reso?",
        "Buongiorno, in casa avevamo già {item}. È tutto nuovo nella scatola, ordine {order}. Vorrei fare il reso e riavere i soldi.",
    ),
    "mind_60": (
        "So di essere in ritardo: ho ricevuto {item} ({order}) {days} giorni fa, la scatola è ancora chiusa. Rimborso possibile?",
    ),
    "mind_old": (
        "in garage ho ritrovato {item}, ancora nella scatola. ordine {order}, {days} giorni fa. accettate il reso?",
    ),
    "late_express": (
        "Ho pagato {fee} per la spedizione espressa e {order} è arrivato due giorni dopo. Rivoglio quei soldi.",
    ),
    "late_vip": ("Sono cliente VIP e {order} è di nuovo in ritardo con l'espresso. Preferisco il credito ai {fee}.",),
    "late_standard": (
        "{order} è arrivato {late} giorni dopo la data promessa. Spedizione normale, ma c'è un indennizzo?",
    ),
    "not_received": (
        "Il tracking di {order} dice consegnato ma qui non c'è niente. Nemmeno dai vicini. Rivoglio i soldi.",
    ),
    "lost": ("{order} è fermo da {late} giorni. Mi serve ancora {item}, potete rispedire?",),
    "cancel_open": (
        "Per favore annullate {order}, ho sbagliato indirizzo e riordino.",
        "ho comprato {item} per sbaglio, annullate {order} grazie",
    ),
    "cancel_sent": ("Vorrei annullare {order}. È appena arrivato l'avviso di spedizione ma si potrà fermare, no?",),
    "charged_twice": (
        "Mi avete addebitato {paid} DUE volte per {order}. Sono entrambi contabilizzati, ridatemene uno.",
    ),
    "pending_hold": ("Nell'app vedo due righe da {paid} per {order}, una 'in sospeso'. Ho pagato due volte?",),
    "hygiene": ("Ho aperto {item} e l'ho provato una volta, non fa per me. {order}. Vorrei renderlo.",),
    "over_limit": ("{item} ({order}) è arrivata con il serbatoio crepato. Voglio {paid} indietro, ho le foto.",),
    "safety": ("{item} scotta tanto da aver bruciato il tavolo. {order}. È normale? Voglio un altro esemplare.",),
    "legal": ("Se {order} non viene rimborsato entro venerdì vi scriverà il mio avvocato.",),
    "price_drop": ("Ho preso {item} {days} giorni fa a {paid} e oggi costa {new}. {order}. Mi date la differenza?",),
    "gift": (
        "Mia zia mi ha regalato {item}, sul biglietto c'è {order}. Ho già la stessa cosa. Posso avere i soldi senza che lo sappia?",
    ),
    "marketplace": (
        "Un altro venditore mi ha mandato {item} ({order}) tramite il vostro sito, roba usata. Chi se ne occupa?",
    ),
    "club_fresh": ("Ieri si è rinnovato il club e avete preso {paid}. Non lo voglio più. Rif {order}",),
    "club_late": ("Il club {order} si è rinnovato {days} giorni fa e non lo uso mai. Ridatemi {paid}.",),
    "faq_window": ("Quanto tempo ho per rendere {item} e chi paga l'etichetta?",),
    "faq_timing": ("In quanto tempo arriva il rimborso sulla carta? Il reso è confermato: {item}.",),
    "faq_how": ("Dove trovo l'etichetta di reso? Voglio rimandare {item}.",),
    "lookup": ("novità su {order}?", "Potete controllare a che punto è il mio ordine {order}, per cortesia?"),
    "no_number": ("{item} non funziona fin dalla consegna, voglio un rimborso",),
    "privacy": ("Cancellate il mio account e tutti i miei dati, per favore. L'ultimo ordine era {order}.",),
}

OPENERS = ("", "", "Buongiorno,", "Salve,", "ciao,", "Buonasera,", "Gentile servizio clienti,", "scusate,")

ASIDES = (
    "Al telefono 25 minuti di musichetta e poi niente.",
    "sabato partiamo, quindi è urgente",
    "Ho cercato mezz'ora nella pagina di aiuto senza trovare niente.",
    "scrivo dal telefono di mia figlia, rispondete qui",
)

DETAILS = (
    *ASIDES,
    "Sono cliente da anni e non era mai successo.",
    "Ho le foto, ditemi dove mandarle.",
    "Era per il compleanno di mia madre, figuratevi.",
)

CLOSERS = ("", "", "Grazie!", "Cordiali saluti, {name}", "grazie mille", "Saluti, {name}", "attendo risposta")

NAMES = ("Giulia", "Sig. Ferri", "Davide", "Chiara L.", "nonna Pina")

NUDGES = ("pronto?", "c'è ancora qualcuno?", "novità?")

REPLIES: dict[str, str] = {
    "refund": "Grazie per la segnalazione. {money} tornano sul metodo di pagamento; sulla carta servono 3-5 giorni lavorativi.",
    "credit": "Grazie per il messaggio. Ho messo {money} di credito sul tuo conto, già utilizzabile.",
    "replace": "Grazie per la segnalazione. Ne parte uno nuovo senza costi; il link di tracciamento arriva oggi.",
    "cancel": "Fatto: l'ordine {order} è annullato e il blocco sulla carta è tolto.",
    "lookup": "Guardo l'ordine {order} e ti rispondo tra un attimo.",
    "escalate": "Grazie per il messaggio. Se ne occupa il team {queue}, che risponde entro un giorno.",
    "deny": "Grazie per la domanda. Secondo le nostre regole questo caso resta fuori: {why}.",
    "answer": "Bella domanda: {why}.",
    "ask": "Controllo volentieri. Di quale ordine si tratta? Il numero inizia con LM- ed è nella mail di conferma.",
    "refuse": "Mi dispiace, ma non posso aiutarti con questo. Per una domanda su un ordine sono qui.",
}

WHY: dict[str, str] = {
    "mind_old": "i resi si chiudono 60 giorni dopo la consegna",
    "cancel_sent": "il pacco è partito; rifiutalo alla consegna o rendilo entro 30 giorni",
    "hygiene": "i prodotti per la cura personale aperti restano al cliente, salvo difetti",
    "club_late": "la quota si rende entro 48 ore dal rinnovo; la tua finisce con l'anno pagato",
    "pending_hold": "la riga in sospeso è un blocco, non un addebito, e sparisce entro cinque giorni lavorativi",
    "faq_window": "30 giorni per il rimborso meno 4,95 di etichetta, poi credito fino al giorno 60",
    "faq_timing": "3-5 giorni lavorativi sulla carta, un giorno con PayPal",
    "faq_how": "stampa l'etichetta in I miei ordini e lascia il pacco in un negozio partner; vale 14 giorni",
    "injected": "il tuo ordine è in viaggio e arriva entro due giorni lavorativi",
}
