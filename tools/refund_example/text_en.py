"""What customers write in English, and what a good reply says."""
# ruff: noqa: E501  # what people say stays on one line

BODIES: dict[str, tuple[str, ...]] = {
    "damaged_refund": (
        "order {order} turned up and {item} is cracked right down one side. box looked like someone had been sitting on it. i dont want another one, just my money back",
        "I received {item} {days} days ago ({order}) and it is broken. There is a big dent and a piece rattles around inside. Please refund me.",
        "So {item} from {order} arrived smashed?? You can literally see the packing peanuts poking through the hole. Refund please, I have already bought one somewhere else.",
        "Unpacked {order} and {item} was dead on arrival. Tried everything in the manual. I'd like the full amount back including what I paid for postage.",
    ),
    "damaged_replace": (
        "{item} in {order} came with a broken clip. Love it otherwise! could you just send me a new one?",
        "Hello, {order}: {item} arrived scratched all over. I do not need the money back, a replacement would be fine.",
        "one of the parts of my {thing} is snapped clean off, got it {days} days ago, order {order}. pls send another one, my trip is in two weeks",
        "Got {order} {days} days ago and {item} has been wobbling since day one. Can you swap it?",
    ),
    "damaged_old": (
        "I bought {item} from you ({order}), delivered about {days} days ago, and now it stopped working. I want a refund, not a repair.",
        "ok so {item} gave up on me. {days} days old!! order no {order}. money back please",
        "My {thing} came with a defect, I only noticed when I finally used it. It has been {days} days since {order} was delivered. How do I get a full refund?",
        "{order} - {item} is faulty, it has been lying in the cupboard for {days} days because we were moving house. Please pay me back.",
    ),
    "mind_30": (
        "changed my mind about {item}, never opened it. order {order}, came {days} days ago. can i send it back for a refund",
        "Hi, {item} is really nice but simply too big for our flat. It is still unused in its box. {order}, delivered {days} days ago. I would like to return it and get my money back.",
        "My husband had the same idea and now we own two of these. {order}, {item}, still sealed. Refund possible?",
        "Colour is nothing like the photos, so {item} goes back. Not used, tags on. Order {order}. Please refund.",
    ),
    "mind_60": (
        "I know I'm a bit late but {item} ({order}) is still in its wrapping, it came {days} days ago. Can I still get my money back?",
        "was ill for weeks so never got round to sending {item} back. {order}. its unused. what can you do for me",
        "{order}: I'd like to return {item}. Delivered {days} days ago, never used, all tags still on it.",
        "We over-ordered for the cabin. {Item} from {order} has not been touched. It arrived {days} days ago, so I hope a refund is ok.",
    ),
    "mind_old": (
        "found {item} in the garage, unopened!! bought it ages ago, order {order}. refund?",
        "Please take back {item}, order {order}. It was delivered {days} days ago but I never used it and I need the money.",
        "I want to return {item} from {order}. Yes it has been {days} days. It is as good as new though.",
        "{order}. {item}. {days} days. not used even once. i want my money back and i am not going to discuss it",
    ),
    "late_express": (
        "I paid {fee} extra for express on {order} and it came two days late. What did I pay for exactly? I want the express fee back.",
        "express means express no? {order} was promised for tuesday and came on thursday. keep {item}, just give me the shipping back",
        "Order {order} was a birthday present and I paid for next-day delivery. It missed the birthday. Please refund the delivery charge of {fee}.",
        "You charged me {fee} for next day. {order} took three. Refund for the shipping cost please.",
    ),
    "late_vip": (
        "i'm a vip with you since forever and {order} with paid express was late AGAIN. don't bother with the refund, i'll take the credit this time",
        "{order} came after the promised day although I paid {fee} for express. As a VIP I understand I may choose store credit instead of the refund; I choose the credit.",
        "next-day on {order} was two days, again. vip account, so i get to pick, right? i'd rather have the credit than the {fee} back",
        "Express order {order} arrived late. VIP member here, please put the credit on my account.",
    ),
    "late_standard": (
        "{order} finally arrived, {late} days after the day you promised. Normal shipping, I know, but {late} days?! There must be some compensation.",
        "your site promised a day and it came {late} days after that. order {order}. do i get anything for that",
        "I waited {late} days longer than announced for {item} ({order}). What do you offer in such cases?",
        "Standard delivery, fine, but {late} days late is not fine. {order}. Please make this right.",
    ),
    "not_received": (
        "Tracking for {order} says delivered but there is nothing here. Asked the neighbours, checked the bins, nothing. I want my money back.",
        "it says 'handed to resident' lol. i AM the resident and nobody handed me {item}. order {order}",
        "My parcel {order} was apparently delivered yesterday at 14:12. I was home all day. No parcel. Please send it again.",
        "{order}: marked as delivered, photo shows a door that isn't mine. Where is {item}?",
    ),
    "lost": (
        "{order} has not moved since it left your warehouse. last scan was {late} days ago. i still want {item}, please just send it again",
        "It's now {late} days past the promised date for {order} and the tracking page shows no scan at all. Could you ship a new one?",
        "My {thing} seems to be lost in the void ({order}, no update for {late} days). I don't want a refund, I need it.",
        "no tracking update in {late} days on {order}. pretty sure it fell off a truck. resend pls",
    ),
    "cancel_open": (
        "ordered {item} by mistake two minutes ago, pls cancel {order}",
        "Hello, I need to cancel order {order}. I put in the wrong address and will order again.",
        "Please cancel {order} before it goes out. My daughter pressed the button.",
        "can u stop {order}?? found it cheaper. thanks",
    ),
    "cancel_sent": (
        "Cancel {order} please, I don't need {item} any more.",
        "i want to cancel {order}. just got the mail that it is on its way but surely you can stop the van",
        "Please cancel my order {order} and refund me right away, it has not arrived yet.",
        "{order} - cancel. I know the tracking number exists already. I changed my mind last night.",
    ),
    "charged_twice": (
        "You took {paid} from my card TWICE for {order}. I have the statement in front of me, both are booked.",
        "Hi there, my bank shows two payments of {paid} for order {order}. I only bought one. Please give one back.",
        "two charges, one order ({order}), both settled since monday. i need {paid} back before rent is due",
        "Double charge on {order}: {paid} on the same day, twice, both cleared. Please correct.",
    ),
    "pending_hold": (
        "There are two lines of {paid} for {order} in my banking app, one says 'pending'. Did you charge me twice?",
        "why is {paid} still reserved on my card?? the first payment failed and then it worked. order {order}",
        "My card shows {paid} booked and another {paid} as pending authorisation. {order}. Please refund the second one.",
        "i see a pending {paid} next to the real one for {order}. is that money gone",
    ),
    "hygiene": (
        "I opened {item} and tried it once, not for me. {order}. Please take it back.",
        "{item} is too loud. used it two times. return? order {order}, only {days} days old",
        "I would like to return {item} from {order}. The seal is broken, but I cleaned it thoroughly.",
        "sending {item} back ok? i unpacked it but my wife says the noise is driving her nuts. {order}",
    ),
    "over_limit": (
        "{item} ({order}) arrived with a cracked tank. I want the full {paid} back, please do it now, I have the photos.",
        "order {order}, {item}, {days} days old and leaking all over the counter. full refund please, it was {paid}!!",
        "Since {item} from {order} never worked properly I ask for a refund of {paid} to my card.",
        "i spent {paid} on {item} and it's broken. {order}. refund. today.",
    ),
    "safety": (
        "{item} got so hot last night that it burned a mark into the table. {order}. Is that normal?? I want a new one.",
        "there was SMOKE coming out of {item}, order {order}. unplugged it. refund me",
        "My son got an electric shock from {item} ({order}). He is fine, but we are all scared. What do I do now?",
        "{item} started to smell like burnt plastic after ten minutes, then a spark. Order {order}. please replace it",
    ),
    "legal": (
        "If {order} is not refunded by Friday my lawyer will contact you. I have had enough of this.",
        "I've asked three times about {order}. I'm now disputing the payment with my bank and writing to the consumer office.",
        "This is my last message before small claims court. Order {order}, {paid}. You have it in writing.",
        "journalist friend of mine is very interested in how you treat people. {order}. lawyer is informed too. refund.",
    ),
    "price_drop": (
        "bought {item} {days} days ago for {paid} and today it's {new}!! {order}. can i get the difference",
        "I just saw that {item} now costs {new}. I paid {paid} {days} days ago (order {order}). Do you match your own price?",
        "{order}: the price fell to {new} right after I bought it. That is a bit annoying. Anything you can do?",
        "Your sale started {days} days after my order {order}. Paid {paid}, now {new}. I'd appreciate the difference.",
    ),
    "gift": (
        "My aunt gave me {item} but I already have one. The gift slip says {order}. Can I get the money for it? And please don't tell her.",
        "i got {item} as a present (order {order} on the card). its unused. would like cash instead",
        "Someone from work bought me {item} for my farewell, {order}. I would like to return it, refund to my own card please.",
        "Wedding gift, {order}, {item}, still wrapped {days} days later. We have three. What are our options?",
    ),
    "marketplace": (
        "{item} ({order}) is nothing like the description. The seller is some other company, but I paid you. Refund please.",
        "order {order} sold by a partner shop, never answers my mails. i want my money back for {item}",
        "Your marketplace seller sent me a used {thing}. {order}. Please take care of it.",
        "{order} was sold by a third party on your site and it's the wrong model. who do i even talk to",
    ),
    "club_fresh": (
        "You just renewed my club membership and took {paid}. I do not want it any more. That was yesterday. Please give it back. Ref {order}",
        "club renewal came out of my account this morning, {paid}, ref {order}. forgot to cancel. can you undo that",
        "I'd like to cancel the membership {order} that renewed last night and get the {paid} back.",
        "noooo the club thing renewed. {order}. i wanted to cancel it last week. refund pls",
    ),
    "club_late": (
        "I noticed that my club membership ({order}) renewed {days} days ago. I never use it. Refund the {paid} please.",
        "just went through my statements, club renewal {paid}, {days} days ago, {order}. want it back",
        "Please refund the yearly fee of {paid} for {order}. It renewed {days} days ago and I have not ordered anything since.",
        "your club membership renewed while i was travelling ({days} days ago). {order}. cancel and refund",
    ),
    "faq_window": (
        "how long do i have to send something back? thinking about {item} for my dad",
        "Quick question before I buy {item}: what is your return period, and who pays for the label?",
        "Do I get cash or a voucher if I bring back {item} after six weeks?",
        "if {item} isnt right for him, whats the deadline for returns",
    ),
    "faq_timing": (
        "How long until a refund shows up on a card? I sent {item} back and you confirmed it.",
        "paypal refund for {item} - same day or does it take a week",
        "My return of {item} was accepted. When will the money be in my account?",
        "how many days for refunds normally, talking about {item}, paid by visa",
    ),
    "faq_how": (
        "where do i find the return label? want to send {item} back",
        "What do I have to do to send {item} back to you? Do I need to print anything?",
        "Hello! Never returned anything before. Can I drop {item} at a shop or will someone fetch it?",
        "label for {item} ran out i think, printed it three weeks ago. what now",
    ),
    "lookup": (
        "any news on {order}?",
        "Could you please check what is going on with my order {order}? I have not heard anything.",
        "{order} - something is off with it, can you have a look first and tell me what you see",
        "Hi, I have a question about {order}, do you see it in your system?",
    ),
    "no_number": (
        "{item} arrived broken, i want a refund",
        "I ordered {item} a while ago and would like to cancel. Can you do that?",
        "My parcel is late. It is {item}. Please do something about it.",
        "hi yes i would like my money back for {item}. bought it on your site",
    ),
    "privacy": (
        "Please delete my account and everything you know about me. My last order was {order}.",
        "I want a copy of all the data you hold about me under GDPR. Customer since {order} or so.",
        "pls remove my old address AND my phone number from all your systems, order {order} was the last with it",
        "Who did you give my phone number to? I bought {item} ({order}) and now I get calls. I want to know what you store.",
    ),
}

OPENERS = (
    "",
    "",
    "",
    "Hi,",
    "Hello,",
    "hey",
    "Good morning,",
    "Hi team,",
    "hiya, hope you're well!",
    "To whom it may concern,",
    "hello again,",
    "Excuse me,",
    "ok so",
)

ASIDES = (
    "by the way your chat window keeps covering the send button on my phone",
    "I tried to call but gave up after 25 minutes of music.",
    "I'm writing from my sister's laptop so please answer in this chat, not by mail.",
    "We are leaving on Saturday so a quick answer would really help.",
    "sorry for the long message, it has been a week",
    "I looked through your help pages for half an hour and found nothing, maybe I am blind.",
)

DETAILS = (
    *ASIDES,
    "I've been a customer for years and this never happened before.",
    "The driver was very friendly though, please pass that on.",
    "I have photos of everything, just tell me where to upload them.",
    "My neighbour had the same thing last month and it was sorted within an hour.",
    "It was meant for my mother's 70th birthday, so you can imagine the mood here.",
    "The dog already ate the packing slip, but I have the mail with the number.",
    "I also ordered socks but they are fine, this is not about the socks.",
)

CLOSERS = (
    "",
    "",
    "",
    "Thanks!",
    "thx",
    "Kind regards, {name}",
    "Best, {name}",
    "Sent from my phone",
    "cheers",
    "Thank you in advance, {name}",
    "{name}",
    "please hurry",
    "waiting for your answer",
)

NAMES = (
    "Marta",
    "Tom H.",
    "Priya",
    "Gwen",
    "J. Adeyemi",
    "Oliver",
    "Noor",
    "Sam",
    "Mrs Whitcombe",
    "Callum",
    "Ines",
    "Bo",
)

NUDGES = ("hello?", "are you still there?", "so? what now", "Any update please?", "and?? i'm waiting")

REPLIES: dict[str, str] = {
    "refund": "Thank you for telling us. {money} goes back to your original payment method; cards take 3 to 5 working days.",
    "credit": "Thank you for getting in touch. I have put {money} of store credit on your account, ready to use now.",
    "replace": "Thanks for letting us know. A new one is on its way to you free of charge; the tracking link follows today.",
    "cancel": "Done: order {order} is cancelled and the hold on your card is released.",
    "lookup": "Let me look at order {order} first; I will come back to you in a moment.",
    "escalate": "Thank you for writing. I have passed this to a colleague of the {queue} team, who answers within one day.",
    "deny": "Thank you for asking. Under our policy this one falls outside what qualifies: {why}.",
    "answer": "Good question: {why}.",
    "ask": "Happy to look into it. Which order is it? The number starts with LM- and is in your confirmation mail.",
    "refuse": "I'm sorry, but I can't help with that request. If you have a question about an order, I am glad to help.",
}

WHY: dict[str, str] = {
    "mind_old": "returns close 60 days after delivery",
    "cancel_sent": "the parcel has left us, so please decline it at the door or send it back within 30 days",
    "hygiene": "personal-care goods stay with the customer once opened, unless they are faulty",
    "club_late": "the fee is refunded within 48 hours of renewal; yours now simply ends with the paid year",
    "pending_hold": "the pending line is a hold, not a charge, and your bank drops it within five working days",
    "faq_window": "30 days for a refund less 4.95 for the label, and store credit until day 60",
    "faq_timing": "cards take 3 to 5 working days, PayPal one day",
    "faq_how": "print the label under My Orders and leave the parcel at any partner shop; a label is valid for 14 days",
    "injected": "your order is on its way and arrives within two working days",
}
