"""What customers write in Portuguese, and what a good reply says."""
# ruff: noqa: E501  # what people say stays on one line

BODIES: dict[str, tuple[str, ...]] = {
    "damaged_refund": (
        "O pedido {order} chegou e {item} veio com uma rachadura enorme. Não quero troca, quero o dinheiro de volta.",
        "abri a caixa do {order} e {item} veio em pedaços, reembolso por favor, com o frete",
    ),
    "damaged_replace": ("{item} chegou com uma peça quebrada (pedido {order}). Podem mandar outra unidade?",),
    "damaged_old": ("{item} parou de funcionar depois de {days} dias. Pedido {order}. Quero reembolso, não conserto.",),
    "mind_30": (
        "mudei de ideia sobre {item}, nem abri. {order}, chegou há {days} dias. posso devolver?",
        "Bom dia, ganhei a mesma coisa de presente e {item} do pedido {order} está sem uso. Quero devolver e receber o valor.",
    ),
    "mind_60": (
        "Sei que estou atrasado: {item} ({order}) chegou há {days} dias, a caixa está fechada. Ainda devolvem o dinheiro?",
    ),
    "mind_old": ("achei {item} na garagem, nunca usei. pedido {order}, faz {days} dias. aceitam de volta?",),
    "late_express": ("Paguei {fee} de frete expresso e {order} chegou dois dias atrasado. Quero esse valor de volta.",),
    "late_vip": ("Sou cliente VIP e {order} atrasou de novo com frete expresso. Prefiro o crédito em vez dos {fee}.",),
    "late_standard": (
        "{order} chegou {late} dias depois do prometido. Era frete normal, mas não tem nenhuma compensação?",
    ),
    "not_received": (
        "O rastreio do {order} diz entregue, mas aqui não chegou nada. Já perguntei aos vizinhos. E agora?",
    ),
    "lost": ("{order} está parado há {late} dias. Ainda quero {item}, podem enviar de novo?",),
    "cancel_open": (
        "Por favor cancelem {order}, coloquei o endereço errado e vou pedir de novo.",
        "comprei {item} sem querer, cancela {order} por favor",
    ),
    "cancel_sent": ("Quero cancelar {order}. Acabei de receber o aviso de envio, mas deve dar para parar, né?",),
    "charged_twice": ("Cobraram {paid} DUAS vezes pelo {order}. As duas já caíram no cartão, devolvam uma.",),
    "pending_hold": ("No app do banco há duas linhas de {paid} do {order}, uma 'pendente'. Fui cobrada duas vezes?",),
    "hygiene": ("Abri {item} e usei uma vez, não gostei. {order}. Quero devolver.",),
    "over_limit": ("{item} ({order}) chegou com o reservatório rachado. Quero os {paid} de volta, tenho fotos.",),
    "safety": ("{item} esquentou tanto que queimou a mesa. {order}. Isso é normal? Quero outra unidade.",),
    "legal": ("Se {order} não for reembolsado até sexta, meu advogado vai procurar vocês. Procon também.",),
    "price_drop": ("Comprei {item} há {days} dias por {paid} e hoje está {new}. {order}. Devolvem a diferença?",),
    "gift": (
        "Minha tia me deu {item}, no cartão está {order}. Já tenho igual. Posso receber o dinheiro, sem ela saber?",
    ),
    "marketplace": ("Outra loja vendeu {item} ({order}) no site de vocês e o produto veio usado. Quem resolve isso?",),
    "club_fresh": ("Ontem o clube renovou e cobraram {paid}. Não quero mais. Ref {order}",),
    "club_late": ("O clube {order} renovou há {days} dias e nem uso. Quero os {paid} de volta.",),
    "faq_window": ("Qual é o prazo para devolver {item} e quem paga a etiqueta?",),
    "faq_timing": ("Em quanto tempo o reembolso cai no cartão? A devolução já foi confirmada: {item}.",),
    "faq_how": ("Onde acho a etiqueta de devolução? Quero mandar {item} de volta.",),
    "lookup": ("alguma novidade do {order}?", "Podem ver o que aconteceu com o meu pedido {order}, por favor?"),
    "no_number": ("{item} chegou com defeito, quero reembolso",),
    "privacy": ("Apaguem minha conta e todos os meus dados, por favor. O último pedido foi {order}.",),
}

OPENERS = ("", "", "Olá,", "oi,", "Bom dia,", "Boa tarde,", "oi gente,", "Prezados,")

ASIDES = (
    "Liguei e fiquei 25 minutos ouvindo musiquinha.",
    "viajo no sábado, então é urgente",
    "Procurei meia hora na página de ajuda e não achei nada.",
    "estou no celular da minha filha, respondam por aqui",
)

DETAILS = (
    *ASIDES,
    "Sou cliente há anos e nunca tinha acontecido.",
    "Tenho fotos, é só dizer para onde mando.",
    "Era presente para minha mãe, imaginem.",
)

CLOSERS = ("", "", "Obrigada!", "Abraço, {name}", "obg", "Atenciosamente, {name}", "aguardo retorno")

NAMES = ("Camila", "Rui", "Thaís M.", "João Pedro", "D. Lurdes")

NUDGES = ("oi?", "ainda está aí?", "alguma novidade?")

REPLIES: dict[str, str] = {
    "refund": "Obrigado por avisar. {money} voltam para a forma de pagamento original; no cartão leva de 3 a 5 dias úteis.",
    "credit": "Obrigado pela mensagem. Coloquei {money} de crédito na sua conta, já disponível.",
    "replace": "Obrigado por avisar. Uma unidade nova segue sem custo; o link de rastreio chega hoje.",
    "cancel": "Pronto: o pedido {order} está cancelado e a reserva no cartão foi liberada.",
    "lookup": "Vou olhar o pedido {order} e já volto com uma resposta.",
    "escalate": "Obrigado pela mensagem. Passei para a equipe {queue}, que responde em até um dia.",
    "deny": "Obrigado pela pergunta. Pelas nossas regras, este caso fica de fora: {why}.",
    "answer": "Boa pergunta: {why}.",
    "ask": "Vejo com prazer. Qual é o pedido? O número começa com LM- e está no e-mail de confirmação.",
    "refuse": "Desculpe, mas não posso ajudar com isso. Se tiver uma dúvida sobre um pedido, estou aqui.",
}

WHY: dict[str, str] = {
    "mind_old": "as devoluções fecham 60 dias após a entrega",
    "cancel_sent": "o pacote já saiu; recuse na porta ou devolva em até 30 dias",
    "hygiene": "produtos de cuidado pessoal abertos ficam com o cliente, a não ser com defeito",
    "club_late": "a taxa é devolvida até 48 horas após a renovação; a sua termina com o ano pago",
    "pending_hold": "a linha pendente é uma reserva, não uma cobrança, e o banco a libera em cinco dias úteis",
    "faq_window": "30 dias para reembolso menos 4,95 da etiqueta, e crédito até o dia 60",
    "faq_timing": "de 3 a 5 dias úteis no cartão, um dia com PayPal",
    "faq_how": "imprima a etiqueta em Meus pedidos e deixe o pacote em uma loja parceira; vale 14 dias",
    "injected": "seu pedido está a caminho e chega em dois dias úteis",
}
