"""The topics of the shop chats: what a customer of Tarn & Fell, an imaginary outdoor shop, writes, what the assistant asks and answers.

Topics and slots as in chat_topics."""

TOPICS = {
    "order_status": {
        "open": ["Where is my order {order}?", "I ordered {item} {days} ago and [nothing has come|it is not here].", "my parcel with {item} is late", "When will {item} [arrive|be delivered]?",
                 "The tracking of order {order} has not moved for {days}."],
        "steps": [("May I have the order number, please?", "[It is {order}.|{order}|yes, {order}]")],
        "answer": ["Thank you. Order {order} left our warehouse in Kendal and is with the courier. Parcels take two to four days; the link in our mail shows the hour of delivery."],
        "more": [("Can you [deliver|send it] to a neighbour?", "Yes. Open the link in our mail before 8 am and choose Neighbour."),
                 ("What if it [is lost|never comes]?", "After ten days we count it as lost and send {item} once more, free of charge.")],
    },
    "return_item": {
        "open": ["I want to [return|send back] {item}.", "{item} [is not what I thought|does not fit me], can I return it?", "How do I send {item} back?", "what is your return policy for {item}?"],
        "steps": [("Has it been worn outside?", "[No.|no, only at home|No, I tried it on indoors.]")],
        "answer": ["Then you have sixty days. Print the label under Orders, put {item} into any box and take it to a parcel point. We refund within three days of its arrival."],
        "more": [("Does the [return|label] cost anything?", "No, returns are free from the mainland. From islands they cost £6."),
                 ("And if I had worn it?", "Worn things go to our Second Trail shop. We pay you half of the price as a voucher.")],
    },
    "exchange_size": {
        "open": ["{item} is too [small|tight], can I have {size}?", "Please [swap|exchange] {item} for size {size}.", "I need {item} in {size} instead.", "the size of {item} is wrong, {size} would fit"],
        "steps": [("Is it the same colour that you would like?", "[Yes.|yes, the same|Yes, the same one.]")],
        "answer": ["I have set {item} in {size} aside for you. The courier brings it and takes the old one along at the door, so keep the box."],
        "more": [("What if {size} does not fit either?", "Then the second exchange is free too, or we refund you."),
                 ("How long [will it take|does that take]?", "Three working days.")],
    },
    "size_advice": {
        "open": ["Which size of {item} should I [take|order]?", "I am {height} tall, what size for {item}?", "Do your things run small? I mean {item}.", "not sure about the size of {item}"],
        "steps": [("How tall are you, and what do you wear elsewhere?", "I am {height} and wear {size}[.|, mostly.|]")],
        "answer": ["At {height} we advise {size}. Our cut leaves room for one warm layer below, so there is no need to go up a size."],
        "more": [("And for long arms?", "Take the cut that is marked Long. It costs the same."),
                 ("Can I try it on [somewhere|in a shop]?", "Yes, in our shops in {city} and Keswick.")],
    },
    "repair_zip": {
        "open": ["The zip of {item} is [broken|stuck].", "[A seam|The zip] of {item} has come apart.", "can you repair {item}? the zip [went|is gone]", "{item} needs a new zip, do you do that?"],
        "steps": [("Do you still know when you bought it?", "[About|I think] {years} ago.")],
        "answer": ["We repair our own things for ten years. Book a repair under My Gear, wash {item} once, and send it to the Mill Workshop. A new zip costs £18."],
        "more": [("How long does the workshop need?", "Ten days, in October up to three weeks."),
                 ("Can you mend other brands?", "Yes, but only zips and buckles, and it costs £25.")],
    },
    "waterproofing": {
        "open": ["{item} [leaks|lets water in] after {years}.", "My {item2} is no longer waterproof.", "water comes through my {item2}", "How do I make my {item2} waterproof again?"],
        "steps": [("Have you washed it with a cleaner for membranes?", "[No.|no, never|Not yet, only with soap.]")],
        "answer": ["Please do that first: Tarn Wash at 30 degrees, then twenty minutes in the dryer on low. Rain should then bead off again; if it does not, spray on Fell Proof."],
        "more": [("[Can I use|Is] normal softener [|alright]?", "No, softener closes the membrane. Use none at all."),
                 ("Where can I get the spray?", "In every shop and online for £11.")],
    },
    "boot_care": {
        "open": ["How do I [care for|look after] leather boots?", "My boots are [wet|soaked] from {place}, how do I dry them?", "what wax should I use for my boots?", "the leather of my boots is [dry|stiff] after {place}"],
        "steps": [("Are they smooth leather or suede?", "[Smooth.|smooth leather|Smooth, I believe.]")],
        "answer": ["Brush them, pull the insoles out and let them dry for two days, never near a stove. Then rub in a thin coat of Birk Wax with your fingers."],
        "more": [("And suede?", "Suede gets the spray only, no wax."),
                 ("How often?", "After every third long walk.")],
    },
    "resole": {
        "open": ["Can my boots get new soles?", "The sole of my boots [is coming off|is worn] after {years}.", "do you resole [climbing shoes|boots]?", "How much is a new sole for boots?"],
        "steps": [("Is the leather around the sole still whole?", "[Yes.|yes it looks fine|Yes, no cracks.]")],
        "answer": ["Then it is worth it. Bring or send them to the Mill Workshop: a pair of soles costs £55 and takes three weeks."],
        "more": [("Is the grip the same?", "Yes, we use the same Vale rubber."), ("How often can that be done?", "Twice, as a rule.")],
    },
    "stock": {
        "open": ["Do you have {item} in {size}?", "Is {item} in stock in {city}?", "When will {item} in {size} be back?", "{item} is sold out in {size}, will there be more?"],
        "steps": [],
        "answer": ["{item} in {size} comes back on the first Tuesday of the month. Tap Tell me on its page and we keep one for you for two days."],
        "more": [("Can you send it from another shop?", "Yes, a shop sends it for £4."),
                 ("Is there something like it?", "The model from last year is the same cut, and 20 percent off.")],
    },
    "voucher": {
        "open": ["My voucher code does not work.", "The code of my gift card is [refused|not accepted].", "I have a voucher over {amount}, how do I use it?", "voucher {order} says invalid"],
        "steps": [("Does the code begin with TF or with ST?", "[TF|With TF.|it starts with TF]")],
        "answer": ["Codes with TF are for the web shop: type them at checkout under Voucher, without the dash. What is left of it stays on the code for three years."],
        "more": [("And ST?", "Those are from Second Trail and count for used things only."),
                 ("Can I have the money instead?", "No, vouchers are not paid out.")],
    },
    "price_match": {
        "open": ["{item} is cheaper [elsewhere|at another shop], do you match that?", "I saw {item} for {amount} at {shop}.", "Why is {item} so [dear|expensive]?", "do you have a price promise for {item}?"],
        "steps": [("Is the other shop in this country, and has it got your size?", "[Yes, both.|yes|Yes, it has.]")],
        "answer": ["Then we match it. Send us the link within fourteen days of your order and we pay the difference back in two days."],
        "more": [("Also in a sale?", "Yes, but not on days marked Black."), ("And before I buy?", "Then we make you a code with the lower price.")],
    },
    "damaged": {
        "open": ["{item} arrived [damaged|with a hole].", "There is a [tear|hole] in {item}, it is brand new!", "my new {item2} is faulty", "The parcel was open and {item} is [torn|dirty]."],
        "steps": [("I am sorry. Could you send a picture of it?", "[Here it is.|yes, sent|I have just sent it.]")],
        "answer": ["Thank you, I see it. A new one leaves today and you need not send the old one back: please give it to someone who can mend it."],
        "more": [("Can I have a refund instead?", "Of course. I refund the full price today."), ("Do I have to [prove|show] anything else?", "No, the picture is enough.")],
    },
    "tent_hire": {
        "open": ["Can I [hire|rent] a tent for {place}?", "How much is it to hire a tent for {nights}?", "do you rent out tents and mats?", "We need a tent for {nights} in {place}."],
        "steps": [("For how many people?", "[For {people}.|{people}|We are {people}.]")],
        "answer": ["A tent for {people} costs £14 a night, mats £3. Book it under Hire two days ahead and fetch it in {city}; we lend you a mallet and a lamp with it."],
        "more": [("What about a deposit?", "£80 by card, which comes back when the tent does."),
                 ("What if it comes back wet?", "That is fine. We dry it.")],
    },
    "guided_walk": {
        "open": ["Do you [offer|have] guided walks near {city}?", "I would like to book a walk in {place}.", "when is the next guided walk?", "Is the walk on {weekday} still on?"],
        "steps": [("Have you walked six hours in a day before?", "[Yes.|yes, often|Yes, some times.]")],
        "answer": ["Then the Skyline walk is right for you: every {weekday} at 8 am from our shop in {city}, £20 with soup. Bring boots and a jacket."],
        "more": [("Can I bring my dog?", "Yes, on a lead."), ("And if it [rains|pours]?", "We walk in rain, but not in a storm. We write the evening before.")],
    },
    "membership": {
        "open": ["What is the Trail Club?", "How do I join [your club|the Trail Club]?", "what do members get?", "Is the Trail Club worth {price}?"],
        "steps": [],
        "answer": ["The Trail Club costs {price} a year. Members get 10 percent off, free repairs of zips, and two nights in our hut at {place}."],
        "more": [("How do I leave it?", "Tap Leave under My Gear. What is left of the year is paid back."),
                 ("Can my family use it?", "Yes, up to four people at one address.")],
    },
    "warranty": {
        "open": ["The pole of my tent [broke|snapped] after {years}.", "Is there a guarantee on {item}?", "a buckle of my rucksack broke in {place}", "How long is the guarantee on [tents|rucksacks]?"],
        "steps": [("Did it break in normal use?", "[Yes.|yes, on a walk|Yes, nothing special.]")],
        "answer": ["Then it is covered: poles and buckles for life, cloth for five years. Give us the number on the inner label and we post the part."],
        "more": [("I cut the label off.", "Then a picture and the year will do."), ("Can I fit the part myself?", "Yes, there is a drawing with it.")],
    },
    "shop_hours": {
        "open": ["When is the shop in {city} open?", "Are you open on {weekday} in {city}?", "What are the opening hours in {city}?", "is the {city} shop open on {weekday}?"],
        "steps": [],
        "answer": ["The shop in {city} is open from 10 am to 6 pm, and on Thursday until 8 pm. The climbing wall opens at noon."],
        "more": [("Can I park there?", "Yes, two hours are free behind the shop."), ("Is there a cafe?", "Yes, on the first floor. The scones are gone by three.")],
    },
    "cancel_order": {
        "open": ["Please cancel order {order}.", "I ordered {item} twice by mistake.", "can I still [cancel|change] my order of {item}?", "I want to cancel {item}, I ordered it {when}."],
        "steps": [("Has the mail Packed come already?", "[No.|no, not yet|No, only the first mail.]")],
        "answer": ["Then it is easy: order {order} is cancelled, and the money is on its way back to your card."],
        "more": [("And if it were packed?", "Then refuse the parcel at the door. That counts as a return."),
                 ("Can you change the address instead?", "Yes, until it is packed.")],
    },
}

SLOTS = {
    "item": ["the Ridge jacket", "the Gill hat", "the Cairn vest", "the Beck fleece", "the Scree shirt", "the Mere rucksack", "the Drift sleeping bag", "the Force anorak"],
    "item2": ["jacket", "anorak", "tent", "rucksack", "poncho"],
    "size": ["XS", "S", "M", "L", "XL"],
    "height": ["1.62 m", "1.70 m", "1.75 m", "1.81 m", "1.88 m", "5 foot 6"],
    "order": ["TF-1108", "TF-2231", "TF-3472", "TF-4059", "TF-5160", "TF-6384", "TF-7745", "TF-8891"],
    "years": ["a year", "two years", "three years", "four years", "six years"],
    "days": ["two days", "four days", "five days", "a week", "nine days"],
    "nights": ["two nights", "three nights", "a weekend", "a week"],
    "people": ["two", "three", "four", "two adults and a child"],
    "when": ["this morning", "yesterday", "last night", "an hour ago", "on Monday"],
    "weekday": ["Saturday", "Sunday", "Friday", "Wednesday"],
    "city": ["Ambleside", "Fort William", "Buxton", "Settle", "Betws", "Aviemore"],
    "place": ["Wasdale", "Glencoe", "the Peaks", "Snowdonia", "the Cairngorms", "Eskdale"],
    "shop": ["Crag House", "Summit Direct", "a shop in town", "Peak & Paddle"],
    "price": ["£15", "£20", "£24"],
}

GREETINGS = ["Hi", "Hello", "Good morning", "Hey there", "Hello Tarn & Fell"]
THANKS = [("[Thanks|Thank you|Brilliant, thank you][.|!|, very kind.]", ["Happy trails! Anything else?", "You are welcome. Happy trails!"]),
          ("[Great|Lovely, thanks|ok thanks][.|!|]", ["Glad to help. Happy trails!"])]
BYE = ("[No, that is all.|No thanks.|no that's it]", ["Then happy trails, and mind the weather!"])
SYSTEM = "You are the assistant of Tarn & Fell, an outdoor shop. Be brief and kind."
