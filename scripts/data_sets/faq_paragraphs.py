"""Paragraphs with the answers marked <k>…</k> and the questions on them, each in two or three wordings."""

_DAYS = ["3 days", "5 days", "7 days", "10 days", "14 days", "21 days", "28 days", "30 days", "60 days", "90 days"]
_SUMS = ["£2", "£3.50", "£5", "£12", "£25", "£40", "£75", "£150", "£300", "£1,000"]
_SHARES = ["0.5%", "1%", "1.5%", "2%", "2.75%", "3%", "4.2%", "5%"]
SLOTS = {
    "product": ["Harbour Current", "Harbour Plus", "Sail Account", "Anchor Saver", "Lighthouse Gold", "Tide Student"],
    "plan": ["Drift 10", "Drift 30", "Current Unlimited", "Surf Family", "Surf Solo"],
    "days1": _DAYS, "days2": _DAYS, "days3": _DAYS,
    "sum1": _SUMS, "sum2": _SUMS, "sum3": _SUMS,
    "price": ["£2", "£2.50", "£3", "£4", "£4.50", "£6.90"],
    "share1": _SHARES, "share2": _SHARES,
    "city": ["Leith", "Cardiff", "Hull", "Dundee", "Whitby"],
}

PARAGRAPHS = [
    {"text": "Holders of the {product} card pay no fee for purchases in pounds. Payments in any other currency cost <1>{share1}</1> of the sum, and cash from a "
             "machine abroad costs <2>{price} per withdrawal</2>. The fees are booked <3>together with the payment</3> and shown as a line of their own.",
     "questions": [["What does a payment in a foreign currency cost with {product}?", "How much is charged for paying in another currency?"],
                   ["What is the fee for drawing cash abroad?", "How much do I pay at a cash machine in another country?"],
                   ["When are the fees booked?", "At what point do the fees appear?"]]},
    {"text": "A lost or stolen card must be reported <1>without delay</1> through the app or by calling the hotline, which is staffed <2>around the clock</2>. Until the "
             "report you bear at most <3>{sum1}</3> of any misuse; after it, nothing. A new card is sent by post within <4>{days1}</4>.",
     "questions": [["How soon must a stolen card be reported?", "When do I have to tell you that I lost my card?"],
                   ["When can I reach the hotline?", "What are the hours of the hotline?"],
                   ["How much of the misuse do I bear before I report it?", "What is my share of the damage until the report?"],
                   ["How long does it take to get a new card?", "Within what time is the card replaced?"]]},
    {"text": "Transfers inside the country reach the payee <1>on the same working day</1> when they are ordered before <2>4 pm</2>. Transfers to other continents take up to "
             "{days1}, because <3>up to three other banks</3> handle them. A transfer can be called back until <4>it has been credited to the payee</4>.",
     "questions": [["When does a transfer inside the country arrive?", "How fast are domestic transfers?"],
                   ["By what time must I order a transfer to have it arrive the same day?", "What is the cut-off for same-day transfers?"],
                   ["Who else handles transfers to other continents?", "Why do transfers to other continents take longer?"],
                   ["Until when can I call a transfer back?", "How long can a transfer still be recalled?"]]},
    {"text": "The {plan} plan runs for <1>24 months</1> and is then extended month by month. You may leave at the end of any month with notice of <2>{days1}</2>. Whoever "
             "leaves during the first term pays <3>half of the remaining monthly charges</3>. Your number can be taken along free of charge.",
     "questions": [["What is the first term of {plan}?", "For how long does {plan} run at first?"],
                   ["How much notice must I give?", "What is the notice period?"],
                   ["What does leaving during the first term cost?", "What do I owe if I leave early?"]]},
    {"text": "With {plan} you can use your data allowance in <1>all countries of the European Union</1> as at home. Elsewhere a travel pass for <2>{price} a day</2> is needed. "
             "Without a pass, mobile data <3>stays switched off</3> outside of the Union, so that no bill can surprise you.",
     "questions": [["Where can I use my data as at home?", "In which countries does {plan} work as at home?"],
                   ["What is the price of a travel pass?", "How much does it cost to use data elsewhere?"],
                   ["What happens to mobile data outside of the Union when I have no pass?", "What does data do abroad without a pass?"]]},
    {"text": "The {product} savings rate is <1>{share1}</1> a year up to a balance of £20,000 and {share2} above. Interest is credited <2>on the last day of each quarter</2>. "
             "You may withdraw {sum3} a day at once; larger sums are paid out after <3>{days1}</3>.",
     "questions": [["What interest does {product} pay on a balance of £5,000?", "What is the rate up to £20,000?"],
                   ["When is interest credited?", "On which day do I get my interest?"],
                   ["How long do I wait for a large withdrawal?", "After what time are larger sums paid out?"]]},
    {"text": "If a shop does not deliver, write to the shop first and keep <1>a copy of the message</1>. When it has not answered within {days1}, fill in the dispute form; it must "
             "reach us within <2>120 days of the payment</2>. We credit the sum <3>provisionally</3> while <4>the bank of the shop</4> is being heard.",
     "questions": [["What should I keep when I write to the shop?", "What has to be kept as proof?"],
                   ["What is the deadline for the dispute form?", "By when must the form reach you?"],
                   ["How is the sum credited during the dispute?", "Is the credit during a dispute final?"],
                   ["Who is heard before the dispute is decided?", "Whose view is asked for?"]]},
    {"text": "An overdraft of {product} is free for the first <1>{sum1}</1>. Beyond that, interest of <2>{share1} a month</2> is due. The limit is reviewed <3>twice a year</3>, and "
             "you are told by letter before it is lowered. Students have no overdraft until <4>their second year</4>.",
     "questions": [["How much overdraft is free?", "Up to what sum does an overdraft cost nothing?"],
                   ["What interest is due beyond the free part?", "What does a larger overdraft cost?"],
                   ["How often is the limit reviewed?", "When do you look at my limit again?"],
                   ["From when do students get an overdraft?", "Until when do students have no overdraft?"]]},
    {"text": "To change your address, open the profile in the app, choose <1>Contact details</1> and enter the new one. You will be asked for <2>a photo of a recent bill</2>. Letters go to "
             "the new address after <3>{days1}</3>; cards that are already on their way <4>cannot be redirected</4>.",
     "questions": [["Which item of the profile do I choose to change my address?", "Where in the profile is the address?"],
                   ["What proof is needed for the new address?", "What will I be asked for?"],
                   ["When do letters go to the new address?", "How long until post reaches the new address?"],
                   ["What about cards that have been sent already?", "What happens to cards that are on their way?"]]},
    {"text": "Our branch in {city} opened in <1>1887</1> and stands beside <2>the old fish market</2>. It is open from Monday to Friday; on Saturdays you can see an adviser <3>by "
             "appointment only</3>. Coins are counted free of charge up to {sum1}, after which <4>{price} per bag</4> is charged.",
     "questions": [["When was the branch in {city} opened?", "Since which year has there been a branch in {city}?"],
                   ["Where is the branch in {city}?", "What is the branch next to?"],
                   ["How can I see an adviser on Saturday?", "Under what condition are advisers there on Saturdays?"],
                   ["What does it cost to have more coins counted?", "How much is charged per bag of coins?"]]},
    {"text": "The PIN can be changed at <1>any of our own machines</1>. After <2>three wrong entries</2> the card is blocked; it is freed with the code that we send to <3>your registered "
             "phone</3>. If the number is no longer yours, bring <4>an identity card</4> to a branch.",
     "questions": [["Where can I change my PIN?", "At which machines can the PIN be changed?"],
                   ["When is the card blocked?", "How many mistakes are allowed before the block?"],
                   ["Where is the code sent?", "To which device do you send the code?"],
                   ["What must I bring when my phone number has changed?", "What do I need at the branch?"]]},
    {"text": "The {plan} plan includes a SIM for <1>up to four further people</1> in the household at {price} a month each. They share the data of the main plan, and its holder can <2>set a "
             "limit for each SIM</2>. Calls between them are <3>free and not counted</3>.",
     "questions": [["For how many others can I get a SIM with {plan}?", "Who else can have a SIM in the plan?"],
                   ["What can the holder do about the data of the others?", "How can the holder control the use of data?"],
                   ["What do calls inside of the household cost?", "How are calls between the members charged?"]]},
    # From here on: validation.
    {"text": "Parcels with a new phone are insured up to <1>{sum1}</1>. Please open them <2>in front of the courier</2> and photograph any damage. A claim has to be made within <3>{days1}</3>; "
             "used phones can be returned within {days2} when <4>the seal is unbroken</4>.",
     "questions": [["Up to what sum are parcels insured?", "How much is the insurance of a parcel worth?"],
                   ["Where should I open the parcel?", "In whose presence should a parcel be opened?"],
                   ["By when do I have to make a claim?", "How long do I have for a claim?"],
                   ["Under what condition can a used phone be returned?", "When do you take a used phone back?"]]},
    {"text": "The {product} account can be closed at any time <1>free of charge</1>. Tell us where the balance should go; it is paid out within <2>{days1}</2>. Direct debits are <3>moved by "
             "your new bank</3> if you ask it to. Statements stay available <4>for ten years</4>.",
     "questions": [["What does closing the account cost?", "Is there a fee for closing {product}?"],
                   ["How soon is the balance paid out?", "When do I get my balance after closing?"],
                   ["Who moves my direct debits?", "What happens to direct debits?"],
                   ["How long can I still get statements?", "For what time are statements kept?"]]},
    {"text": "When the network fails for more than <1>24 hours</1> you are credited <2>{price} for each further day</2>. Planned works are announced <3>in the app</3> {days1} ahead and do not "
             "count. Storm damage counts only <4>from the third day on</4>.",
     "questions": [["After what time of failure is there a credit?", "How long must the network be down before I am credited?"],
                   ["How much is credited?", "What do I get for a long failure?"],
                   ["Where are planned works announced?", "Where can I read about planned works?"],
                   ["From when does storm damage count?", "When is a failure caused by a storm credited?"]]},
    {"text": "A joint account needs <1>the signatures of both holders</1> to be opened. Each of them may pay <2>up to {sum1} a day</2> alone. If one holder dies, the account <3>goes on "
             "under the name of the other</3>, who has to send us the certificate within {days1}.",
     "questions": [["What is needed to open a joint account?", "What must be there to open an account for two?"],
                   ["How much may one holder pay alone?", "What is the limit for one holder on their own?"],
                   ["What happens to the account if a holder dies?", "What becomes of a joint account after a death?"]]},
]
