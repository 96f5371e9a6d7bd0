"""What customers write in French, and what a good reply says."""
# ruff: noqa: E501  # what people say stays on one line

BODIES: dict[str, tuple[str, ...]] = {
    "damaged_refund": (
        "La commande {order} est arrivée et {item} a une grosse fissure. Je ne veux pas d'échange, je veux être remboursée.",
        "{order} : colis écrasé, {item} en morceaux... remboursement svp, frais de port compris",
    ),
    "damaged_replace": (
        "{item} a une pièce cassée depuis la livraison (commande {order}). Vous pouvez m'en renvoyer un exemplaire ?",
        "reçu il y a {days} jours, {order} : {item} avec plein de rayures. pas besoin de l'argent, un échange me va",
    ),
    "damaged_old": (
        "{item} ne marche plus au bout de {days} jours. Commande {order}. Je veux un remboursement, pas une réparation.",
        "Je viens de remarquer un défaut : {item}, livraison il y a {days} jours, {order}. Comment récupérer la totalité ?",
    ),
    "mind_30": (
        "j'ai changé d'avis pour {item}, boîte jamais ouverte. {order}, livraison il y a {days} jours. je peux renvoyer ?",
        "Bonjour, nous avons {item} en double. Rien n'a servi, tout est dans la boîte, commande {order}. Je souhaite un remboursement.",
    ),
    "mind_60": (
        "Je sais que c'est un peu tard : j'ai reçu {item} ({order}) il y a {days} jours, la boîte est encore fermée. Remboursement encore possible ?",
        "j'étais à l'hôpital, donc je n'ai pas pu renvoyer {item}, {order}, pas servi. que pouvez-vous faire",
    ),
    "mind_old": (
        "Je viens de retrouver {item} dans le garage, sans jamais m'en être servie. Commande {order}, {days} jours. Retour possible ?",
        "je veux renvoyer {item} ({order}). oui ça fait {days} jours mais c'est comme neuf",
    ),
    "late_express": (
        "J'ai payé {fee} pour la livraison express et {order} est arrivé avec deux jours de retard. Je veux ces frais.",
        "express vous dites... {order} a mis trois jours. je garde {item} mais remboursez-moi le port",
    ),
    "late_vip": (
        "Cliente VIP, {order} encore en retard malgré l'express. Je préfère l'avoir plutôt que les {fee}.",
        "{order} en retard, express payé, je suis vip : mettez-moi ça en avoir svp",
    ),
    "late_standard": (
        "{order} est arrivé {late} jours après la date annoncée. Livraison normale, d'accord, mais y a-t-il un geste ?",
        "{late} jours de retard pour {order} !! vous proposez quoi",
    ),
    "not_received": (
        "Le suivi de {order} indique 'livré' mais je n'ai rien reçu. Les voisins non plus. Je veux mon argent.",
        "remis en main propre, vraiment ? j'étais au travail. {order}. où est passé mon colis ({item}) ?",
    ),
    "lost": (
        "{order} n'a pas bougé depuis {late} jours. Je veux toujours {item}, pouvez-vous le renvoyer ?",
        "Mon colis {order} devait arriver il y a {late} jours, aucune trace. Merci d'en expédier un autre.",
    ),
    "cancel_open": (
        "Merci d'annuler {order}, je me suis trompée d'adresse, je recommanderai.",
        "oups, commandé {item} par erreur, annulez {order} svp",
    ),
    "cancel_sent": (
        "Je voudrais annuler {order}. Je viens de recevoir l'avis d'expédition mais vous pouvez sûrement l'arrêter.",
        "annulez {order} et remboursez-moi tout de suite, je n'ai encore rien reçu",
    ),
    "charged_twice": (
        "Vous avez débité {paid} DEUX fois pour {order}. Les deux sont passés sur mon compte.",
        "deux débits de {paid} pour une seule commande ({order}), tous les deux validés. rendez-m'en un",
    ),
    "pending_hold": (
        "Dans mon appli je vois deux lignes de {paid} pour {order}, dont une 'en attente'. Suis-je débitée deux fois ?",
        "pourquoi {paid} sont encore bloqués ? le premier paiement a échoué, le second est passé. {order}",
    ),
    "hygiene": (
        "J'ai ouvert {item} et essayé une fois, ça ne me plaît pas. {order}. Je veux la renvoyer.",
        "Puis-je rendre {item} de la commande {order} ? Le sceau est ouvert mais tout est propre.",
    ),
    "over_limit": (
        "{item} ({order}) est arrivée avec le réservoir fendu. Je veux les {paid} en entier, j'ai des photos.",
        "{paid} pour {item} et ça fuit au bout de {days} jours. {order}. remboursement complet",
    ),
    "safety": (
        "{item} a tellement chauffé que la table est brûlée. {order}. C'est normal ? J'en veux un autre exemplaire.",
        "de la FUMÉE est sortie de l'appareil ({item}), commande {order}, j'ai tout débranché. remboursez-moi",
    ),
    "legal": (
        "Sans remboursement de {order} d'ici vendredi, mon avocat prendra contact avec vous.",
        "troisième message pour {order}. je conteste le paiement auprès de ma banque et je préviens la répression des fraudes",
    ),
    "price_drop": (
        "J'ai acheté {item} il y a {days} jours à {paid}, aujourd'hui {new}. {order}. Vous remboursez la différence ?",
        "pas de chance, payé {paid} ({order}) et maintenant c'est {new}. un geste ?",
    ),
    "gift": (
        "Ma tante m'a offert {item}, la carte indique {order}. J'ai déjà le même modèle. Je préférerais l'argent, sans qu'elle le sache.",
        "un cadeau jamais déballé : {item} ({order}). remboursement sur ma carte possible ?",
    ),
    "marketplace": (
        "Une autre société m'a vendu {item} ({order}) sur votre site, rien à voir avec l'annonce. Remboursez-moi.",
        "le vendeur partenaire ne répond pas. {order}. {item}, mais d'occasion. qui s'en occupe ?",
    ),
    "club_fresh": (
        "Mon abonnement club s'est renouvelé hier, {paid} prélevés. Je n'en veux plus. Réf {order}",
        "oublié de résilier, le club {order} s'est renouvelé ce matin. rendez-moi les {paid}",
    ),
    "club_late": (
        "Le club {order} s'est renouvelé il y a {days} jours, je ne m'en sers jamais. Remboursez les {paid} svp.",
        "je vois {paid} pour le club il y a {days} jours, {order}. je veux récupérer ça",
    ),
    "faq_window": (
        "Combien de temps ai-je pour renvoyer {item} et qui paie l'étiquette ?",
        "si {item} ne plaît pas à mon père, on a jusqu'à quand ?",
    ),
    "faq_timing": (
        "Sous combien de temps arrive le remboursement sur la carte ? Le retour est confirmé : {item}.",
        "remboursement paypal pour {item}, c'est immédiat ou pas",
    ),
    "faq_how": (
        "Où se trouve l'étiquette de retour ? Je veux renvoyer {item}.",
        "faut-il imprimer quelque chose pour rendre {item} ?",
    ),
    "lookup": (
        "des nouvelles de {order} ?",
        "Pourriez-vous regarder où en est ma commande {order} ? Je n'ai aucune information.",
    ),
    "no_number": (
        "colis arrivé en mauvais état ({item}), je veux un remboursement",
        "J'ai commandé {item} il y a un moment et je voudrais annuler. C'est possible ?",
    ),
    "privacy": (
        "Merci de supprimer mon compte et toutes mes données. Dernière commande : {order}.",
        "Je souhaite une copie de toutes les données que vous avez sur moi (RGPD). Commande {order}.",
    ),
}

OPENERS = ("", "", "Bonjour,", "bonjour", "Bonsoir,", "Madame, Monsieur,", "Salut,", "Re-bonjour,")

ASIDES = (
    "Au téléphone, 25 minutes de musique puis plus rien.",
    "on part en vacances samedi donc c'est urgent",
    "J'ai cherché une demi-heure dans l'aide sans rien trouver.",
    "j'écris depuis le téléphone de ma fille, répondez ici svp",
)

DETAILS = (
    *ASIDES,
    "Cliente depuis des années, c'est la première fois.",
    "J'ai des photos, dites-moi où les envoyer.",
    "C'était pour l'anniversaire de ma mère, vous imaginez.",
    "Le livreur était très aimable, lui.",
)

CLOSERS = (
    "",
    "",
    "Merci !",
    "Cordialement, {name}",
    "merci d'avance",
    "Bien à vous, {name}",
    "cdlt",
    "j'attends votre réponse",
)

NAMES = ("Élodie", "M. Garnier", "Youssef", "Claire B.", "Mme Perrot", "Théo")

NUDGES = ("allô ?", "vous êtes toujours là ?", "alors ?", "du nouveau ?")

REPLIES: dict[str, str] = {
    "refund": "Merci de nous avoir prévenus. {money} vous sont remboursés ; sur une carte, comptez 3 à 5 jours ouvrés.",
    "credit": "Merci pour votre message. {money} d'avoir sont sur votre compte, utilisables tout de suite.",
    "replace": "Merci de nous avoir prévenus. Un exemplaire neuf part gratuitement ; le lien de suivi arrive aujourd'hui.",
    "cancel": "C'est fait : la commande {order} est annulée et la réservation sur votre carte est levée.",
    "lookup": "Je regarde la commande {order} et je reviens vers vous dans un instant.",
    "escalate": "Merci pour votre message. L'équipe {queue} prend le relais et répond sous un jour.",
    "deny": "Merci pour votre question. Selon nos règles, ce cas n'entre pas dans le cadre : {why}.",
    "answer": "Bonne question : {why}.",
    "ask": "Je regarde volontiers. De quelle commande s'agit-il ? Le numéro commence par LM- et figure dans la confirmation.",
    "refuse": "Je suis désolé, mais je ne peux pas vous aider avec cela. Pour une question sur une commande, je suis là.",
}

WHY: dict[str, str] = {
    "mind_old": "les retours se ferment 60 jours après la livraison",
    "cancel_sent": "le colis est parti ; refusez-le à la porte ou renvoyez-le sous 30 jours",
    "hygiene": "les produits de soin ouverts restent chez le client, sauf défaut",
    "club_late": "la cotisation est rendue dans les 48 heures du renouvellement ; la vôtre prend fin avec l'année payée",
    "pending_hold": "la ligne en attente est une réservation, pas un débit, et disparaît sous cinq jours ouvrés",
    "faq_window": "30 jours pour un remboursement moins 4,95 d'étiquette, puis un avoir jusqu'au jour 60",
    "faq_timing": "3 à 5 jours ouvrés sur une carte, un jour avec PayPal",
    "faq_how": "imprimez l'étiquette dans Mes commandes et déposez le colis en point relais ; elle vaut 14 jours",
    "injected": "votre commande est en route et arrive sous deux jours ouvrés",
}
