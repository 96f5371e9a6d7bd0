"""What customers write in Spanish, and what a good reply says."""
# ruff: noqa: E501  # what people say stays on one line

BODIES: dict[str, tuple[str, ...]] = {
    "damaged_refund": (
        "Llegó el pedido {order} y {item} tiene una grieta enorme. No quiero otra unidad, quiero que me devolváis el dinero.",
        "abro la caja de {order} y {item} viene en pedazos... reembolso por favor, con los gastos de envío también",
    ),
    "damaged_replace": (
        "{item} llegó con una pieza rota (pedido {order}). Me encanta, ¿me podéis mandar otra unidad?",
        "Hace {days} días recibí {item}, {order}, y vino con arañazos. No necesito el dinero, con un cambio me vale.",
    ),
    "damaged_old": (
        "{item} dejó de funcionar a los {days} días. Pedido {order}. Quiero el reembolso, no una reparación.",
        "Acabo de darme cuenta de que {item} trae un defecto; lo entregaron hace {days} días ({order}). ¿Cómo recupero el importe completo?",
    ),
    "mind_30": (
        "he cambiado de idea con {item}, está sin abrir. {order}, llegó hace {days} días. se puede devolver?",
        "Buenas, compré {item} y en casa ya teníamos lo mismo. Sin usar, pedido {order}. Quisiera devolverlo y recuperar el dinero.",
    ),
    "mind_60": (
        "Ya sé que voy tarde: {item} ({order}) llegó hace {days} días y la caja sigue cerrada. ¿Todavía me devolvéis el dinero?",
        "estuve fuera y no pude devolver {item}, pedido {order}, sin estrenar. qué opciones tengo",
    ),
    "mind_old": (
        "Encontré {item} en el trastero, sin usar. Pedido {order}, hace {days} días. ¿Aceptáis la devolución?",
        "quiero devolver {item} del pedido {order}. sí, han pasado {days} días, pero está sin usar",
    ),
    "late_express": (
        "Pagué {fee} de envío urgente y {order} llegó dos días tarde. Quiero que me devolváis ese importe.",
        "urgente decíais... {order} tardó tres días. me quedo con {item} pero devolvedme el envío",
    ),
    "late_vip": (
        "Soy cliente VIP y {order} volvió a llegar tarde con envío urgente. Prefiero el saldo en mi cuenta antes que los {fee}.",
        "pedido {order}, urgente pagado, tarde. soy vip, ponédmelo como saldo porfa",
    ),
    "late_standard": (
        "{order} llegó {late} días después de lo anunciado. Era envío normal, pero ¿hay alguna compensación?",
        "{late} días de retraso en {order}!! qué me ofrecéis",
    ),
    "not_received": (
        "El seguimiento de {order} dice entregado, pero aquí no hay nada. Pregunté a los vecinos. Quiero mi dinero.",
        "pone que lo recogí yo en mano y estaba en el trabajo. {order}. dónde está {item}??",
    ),
    "lost": (
        "{order} lleva {late} días sin moverse. Sigo queriendo {item}, ¿lo mandáis de nuevo?",
        "Mi paquete {order} debía llegar hace {late} días y no hay rastro. Envíenme otro, por favor.",
    ),
    "cancel_open": (
        "Por favor, cancelad {order}, puse mal la dirección y lo volveré a pedir.",
        "me equivoqué al comprar {item}, cancelar {order} gracias",
    ),
    "cancel_sent": (
        "Quiero cancelar {order}. Me acaba de llegar el aviso de envío, pero seguro que todavía se puede parar.",
        "cancelad {order} y devolvedme el dinero ya, si todavía no ha llegado",
    ),
    "charged_twice": (
        "Me habéis cobrado {paid} DOS veces por {order}. Los dos cargos están confirmados en el banco.",
        "dos cargos de {paid} el mismo día, un solo pedido ({order}). devolvedme uno, los dos ya están cobrados",
    ),
    "pending_hold": (
        "En la app del banco veo dos líneas de {paid} por {order}, una pone 'pendiente'. ¿Me habéis cobrado dos veces?",
        "por qué sigue retenido {paid}? el primer pago falló y el segundo fue bien. {order}",
    ),
    "hygiene": (
        "Abrí {item} y lo usé una vez, no me convence. {order}. Quiero devolverlo.",
        "¿Puedo devolver {item} del pedido {order}? El precinto está roto pero está limpio.",
    ),
    "over_limit": (
        "{item} ({order}) llegó con el depósito roto. Quiero los {paid} completos, tengo fotos.",
        "{paid} por {item} y pierde agua a los {days} días. {order}. reembolso total ya",
    ),
    "safety": (
        "{item} se calentó tanto que dejó una quemadura en la mesa. {order}. ¿Es normal? Quiero otra unidad.",
        "salió HUMO de {item}, pedido {order}, ya quité el enchufe. quiero mi dinero",
    ),
    "legal": (
        "Si {order} no está reembolsado el viernes, mi abogado se pondrá en contacto con ustedes.",
        "tercera vez que escribo por {order}. voy a reclamar a consumo y a devolver el cargo en el banco",
    ),
    "price_drop": (
        "Compré {item} hace {days} días por {paid} y hoy está a {new}. {order}. ¿Me dais la diferencia?",
        "qué rabia, pagué {paid} en {order} y ahora cuesta {new}. se puede hacer algo?",
    ),
    "gift": (
        "Mi tía me regaló {item}, en la tarjeta pone {order}. Ya tengo lo mismo. ¿Me dais el dinero? Sin que se entere, por favor.",
        "{item} fue un regalo ({order}), sin abrir. prefiero el dinero en mi tarjeta",
    ),
    "marketplace": (
        "Otra empresa vendía {item} ({order}) en vuestra web y no es lo que se anunciaba. Reembolso, por favor.",
        "el vendedor externo no contesta. {order}. {item}, pero de segunda mano. quién se encarga?",
    ),
    "club_fresh": (
        "Ayer se renovó mi suscripción al club y me cobraron {paid}. No la quiero. Ref {order}",
        "se me pasó cancelar y hoy se renovó el club, {order}. devolvedme los {paid}",
    ),
    "club_late": (
        "El club {order} se renovó hace {days} días y nunca lo uso. Devolvedme los {paid}.",
        "mirando el banco veo {paid} del club de hace {days} días, {order}. lo quiero de vuelta",
    ),
    "faq_window": (
        "¿Cuánto tiempo tengo para devolver {item} y quién paga la etiqueta?",
        "si {item} no le gusta a mi padre, hasta cuándo se puede devolver",
    ),
    "faq_timing": (
        "¿Cuánto tarda el reembolso en la tarjeta? Ya confirmasteis la devolución: {item}.",
        "reembolso por paypal ({item}), es al momento o tarda?",
    ),
    "faq_how": (
        "¿Dónde encuentro la etiqueta? Quiero devolver {item}.",
        "para devolver {item} tengo que imprimir algo o lo recogéis en casa",
    ),
    "lookup": (
        "hay noticias de {order}?",
        "¿Podrían mirar qué pasa con mi pedido {order}? No sé nada desde hace días.",
    ),
    "no_number": (
        "{item} llegó en mal estado, quiero un reembolso",
        "Hace tiempo pedí {item} y me gustaría cancelar. ¿Se puede?",
    ),
    "privacy": (
        "Borrad mi cuenta y todos mis datos, por favor. Mi último pedido fue {order}.",
        "Quiero una copia de todos los datos que tenéis sobre mí (RGPD). Pedido {order}.",
    ),
}

OPENERS = ("", "", "Hola,", "Buenas,", "Buenos días,", "hola, qué tal?", "Estimados señores:", "Perdonad,")

ASIDES = (
    "Llamé y me tuvieron 25 minutos con musiquita.",
    "nos vamos de viaje el sábado, así que corre prisa",
    "Estuve media hora en la página de ayuda y no encontré nada.",
    "escribo desde el móvil de mi hija, contestad por aquí porfa",
)

DETAILS = (
    *ASIDES,
    "Soy clienta desde hace años y nunca me había pasado.",
    "Tengo fotos de todo, decidme dónde las subo.",
    "Era para el cumpleaños de mi madre, imaginaos.",
    "El repartidor, eso sí, muy amable.",
)

CLOSERS = (
    "",
    "",
    "Gracias!",
    "Un saludo, {name}",
    "Gracias de antemano",
    "saludos",
    "Atentamente, {name}",
    "espero respuesta",
)

NAMES = ("Lucía", "Paco R.", "Marisol Vega", "Iker", "A. Montes", "Rocío")

NUDGES = ("hola??", "¿sigue ahí?", "¿alguna novedad?", "y bien?")

REPLIES: dict[str, str] = {
    "refund": "Gracias por avisarnos. Te devolvemos {money} al medio de pago original; en tarjeta tarda de 3 a 5 días hábiles.",
    "credit": "Gracias por escribirnos. Ya tienes {money} de saldo en tu cuenta, listo para usar.",
    "replace": "Gracias por avisarnos. Te enviamos una unidad nueva sin coste; hoy recibirás el enlace de seguimiento.",
    "cancel": "Hecho: el pedido {order} está cancelado y la retención en tu tarjeta queda liberada.",
    "lookup": "Voy a mirar el pedido {order} y te digo algo en un momento.",
    "escalate": "Gracias por escribirnos. Lo he pasado al equipo {queue}, que responde en un día.",
    "deny": "Gracias por preguntar. Según nuestras normas este caso queda fuera: {why}.",
    "answer": "Buena pregunta: {why}.",
    "ask": "Lo miro encantado. ¿De qué pedido se trata? El número empieza por LM- y está en tu correo de confirmación.",
    "refuse": "Lo siento, pero no puedo ayudarte con eso. Si tienes una duda sobre un pedido, aquí estoy.",
}

WHY: dict[str, str] = {
    "mind_old": "las devoluciones se cierran 60 días después de la entrega",
    "cancel_sent": "el paquete ya salió; recházalo en la puerta o devuélvelo en 30 días",
    "hygiene": "los productos de cuidado personal abiertos se quedan con el cliente, salvo que estén defectuosos",
    "club_late": "la cuota se devuelve en las 48 horas tras la renovación; la tuya termina con el año pagado",
    "pending_hold": "la línea pendiente es una retención, no un cargo, y el banco la libera en cinco días hábiles",
    "faq_window": "30 días para reembolso menos 4,95 de la etiqueta, y saldo hasta el día 60",
    "faq_timing": "de 3 a 5 días hábiles en tarjeta y un día con PayPal",
    "faq_how": "imprime la etiqueta en Mis pedidos y deja el paquete en una tienda asociada; vale 14 días",
    "injected": "tu pedido está en camino y llega en dos días hábiles",
}
