/** What kinds of private values there are. */
export const SECRET_CLASSES = ['token', 'phone', 'card', 'mail', 'name', 'id', 'address', 'ip'] as const;

export type SecretClass = (typeof SECRET_CLASSES)[number];

/** `random`: a token only where the value looks like one, since the key alone says too little. */
export type KeyClass = SecretClass | 'random';

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Keys as `normalKey` writes them. */
const EXACT: Readonly<Record<KeyClass, readonly string[]>> = {
  token: words(`
    auth authorization proxyauthorization token tokens secret secrets password passwords passwd pwd passphrase passcode
    apikey apikeys accesskey accesskeyid accesskeysecret secretkey privatekey appsecret clientsecret
    cookie cookies setcookie session sessionid sid ssid jsessionid phpsessid aspnetsessionid sess connectsid
    sign sig signature xsign jwt bearer credential credentials otp pin cvv cvv2 cvc captcha smscode verifycode
    verificationcode authcode csrf xsrf csrfmiddlewaretoken samlresponse samlrequest refreshkey
    密码 口令 令牌 密钥 验证码 支付密码 登录密码`),
  random: words('key code state nonce ticket hash digest ak sk st tgt'),
  phone: words(`
    phone phones mobile mobiles tel tels telephone telno telnumber mobileno mobilenumber mobilenum mobilephone phoneno
    phonenumber phonenum cell cellphone cellno msisdn fax contactphone whatsapp
    手机 手机号 手机号码 电话 电话号码 联系电话 联系方式 收货电话 固定电话 座机 传真`),
  card: words(`
    card cards cardno cardnumber cardnum bankcard bankcardno creditcard creditcardno creditcardnumber debitcard pan
    accountno accountnumber bankaccount bankaccountno iban 卡号 银行卡 银行卡号 信用卡 信用卡号 借记卡 银行账号`),
  mail: words('email emails mail mails emailaddress mailaddress 邮箱 电子邮箱 邮件 邮箱地址'),
  name: words(`
    name names realname truename fullname firstname lastname middlename givenname familyname surname nickname username
    receiver receivername recipient recipientname consignee consigneename contact contactname contactperson addressee
    customername buyername buyernick payername payeename cardholder cardholdername holdername holder ownername
    membername patientname passengername guestname legalperson linkman
    姓名 名字 真实姓名 收货人 收货人姓名 收件人 收件人姓名 寄件人 联系人 联系人姓名 持卡人 户名 昵称 用户名 乘客姓名 法人`),
  id: words(`
    idcard idcards idcardno idcardnumber idcardnum idno idnumber idnum identity identityno identitynumber identitycard
    certno certnumber certificateno credno documentno documentnumber passport passports passportno passportnumber ssn
    socialsecurity socialsecuritynumber socialsecurityno taxid taxnumber driverlicense driverslicense drivinglicence
    licenceno licenseno nationalid residentid 身份证 身份证号 身份证号码 证件号 证件号码 护照 护照号 护照号码 驾照 驾驶证号`),
  address: words(`
    address addresses addr street streetaddress streetname address1 address2 address3 addressline addressline1
    addressline2 addressdetail addressdetails detailaddress detailedaddress receiveraddress shippingaddress
    deliveryaddress billingaddress homeaddress workaddress fulladdress postaladdress residence
    地址 详细地址 收货地址 收件地址 住址 家庭住址 家庭地址 联系地址 街道 通讯地址`),
  ip: words(
    'ip ips clientip remoteip userip realip xrealip xforwardedfor remoteaddr remoteaddress ipaddr ipaddress srcip',
  ),
};

/** How longer keys end, such as `userAccessToken` or `receiver_phone`. The first that fits wins. */
const ENDINGS: readonly (readonly [string, SecretClass])[] = [
  ...words(`
    token secret password passwd passphrase apikey accesskey secretkey privatekey sessionid authorization signature
    credential credentials cookie 密码 令牌 密钥 验证码`).map((word) => [word, 'token'] as const),
  ...words('ipaddress ipaddr clientip remoteaddr').map((word) => [word, 'ip'] as const),
  ...words('email emailaddress 邮箱').map((word) => [word, 'mail'] as const),
  ...words(
    'idcard idcardno idcardnumber passportno passportnumber passport certno 身份证 身份证号 身份证号码 证件号码',
  ).map((word) => [word, 'id'] as const),
  ...words('cardno cardnumber bankcard 卡号').map((word) => [word, 'card'] as const),
  ...words('phone phonenumber phoneno mobile mobileno mobilenumber telephone 手机 手机号 手机号码 电话 电话号码').map(
    (word) => [word, 'phone'] as const,
  ),
  ...words(
    'realname fullname firstname lastname nickname receivername consigneename contactname customername 姓名',
  ).map((word) => [word, 'name'] as const),
  ...words('address 地址 住址').map((word) => [word, 'address'] as const),
];

/** Places and machines that are called addresses and are nobody's. */
const NOT_PRIVATE = new Set(words('macaddress bindaddress listenaddress hostaddress serveraddress'));

export const BUILT_IN_KEYS: ReadonlyMap<string, KeyClass> = new Map(
  Object.entries(EXACT).flatMap(([kind, keys]) => keys.map((key) => [key, kind as KeyClass] as const)),
);

/** `receiver_Phone`, `receiver-phone` and `X-Receiver-Phone` are one key. */
export function normalKey(key: string): string {
  return key
    .toLowerCase()
    .replace(/[^a-z0-9\u0080-\uffff]+/g, '')
    .replace(/^x(?=(?:api|auth|access|csrf|xsrf|user|session|amz|token|secret)[a-z])/, '');
}

/** What a key that no list has says by how it ends. */
export function classByEnding(key: string): SecretClass | undefined {
  if (NOT_PRIVATE.has(key)) return undefined;
  return ENDINGS.find(([ending]) => key.endsWith(ending))?.[1];
}
