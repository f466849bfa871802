import type { Recorded } from '../../harness/load/recording/recorded.ts';

/** A request that holds nothing private, to plant secrets in. */
export function innocent(over: Partial<Recorded> = {}): Recorded {
  return {
    atMs: 1_762_790_400_000.25,
    session: undefined,
    method: 'POST',
    path: '/api/v1/orders/sw1a2b3c4d-sale-417?page=2&size=20&ts=1700000000000',
    headers: [
      'host',
      'shop.test',
      'user-agent',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.109 Safari/537.36',
      'accept',
      'application/json, text/plain;q=0.9, */*;q=0.8',
      'accept-language',
      'zh-CN,zh;q=0.9,en;q=0.8',
      'traceparent',
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    ],
    body: '{"sku":"sku-10417","quantity":3,"price":128.50,"paid":true,"note":null,"at":"2026-11-11T00:00:03.120+08:00","id":900017}',
    status: 201,
    tookMs: 12.5,
    answerHeaders: [
      'content-type',
      'application/json; charset=utf-8',
      'date',
      'Wed, 11 Nov 2026 00:00:03 GMT',
      'etag',
      'W/"5f-3a"',
    ],
    answerBody:
      '{"orderId":"sw1a2b3c4d-sale-417","state":"created","total":385.5,"lines":[{"sku":"sku-10417","amount":385.5}]}',
    ...over,
  };
}

/** Values of each class that are private by their form; the numbers are nobody's. */
export const BY_FORM: Readonly<Record<string, readonly string[]>> = {
  phone: [
    '13800138000',
    '+8613800138000',
    '+86 138 0013 8000',
    '8613800138000',
    '008613912345678',
    '138-0013-8000',
    '138 0013 8000',
    '1380 0138 000',
    '+14155550123',
    '+44 20 7946 0958',
    '+1 (415) 555-0123',
    '(415) 555-0123',
    '415-555-0123',
    '0571-88886666',
  ],
  card: [
    '4111111111111111',
    '4111 1111 1111 1111',
    '5500-0055-5555-5559',
    '378282246310005',
    '3782 822463 10005',
    '30569309025904',
    '4222222222222',
    '6212345678901232',
    '6212345678900000003',
    '2223003122003222',
  ],
  mail: ['li.lei+sale@example.com', 'HAN_meimei@mail.example.co.uk', 'a@b.io', '李雷@例子.中国'],
  id: ['11010519491231002X', '440524188001010014', '110105491231002', '110105 19491231 002X'],
  token: [
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c',
    'Bearer 0a1b2c3d4e5f',
    'Basic bGlsZWk6c2VjcmV0',
    'AKIAIOSFODNN7EXAMPLE',
    'ghp_0123456789abcdefghijABCDEFGHIJ012345',
    'https://lilei:secret@shop.test/api',
  ],
};

/** Keys that alone say what their value is, with a value that nothing else would tell. */
export const BY_KEY: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  token: [
    ['token', 'abc'],
    ['accessToken', 'zyx-1'],
    ['password', 'hunter two'],
    ['api_key', 'k-17'],
    ['X-Api-Key', 'k-18'],
    ['sessionId', '7f'],
    ['clientSecret', 's3'],
    ['sign', '0f9e8d7c6b5a'],
    ['密码', '口令一号'],
    ['cvv', '123'],
  ],
  name: [
    ['name', '张三'],
    ['realName', 'Han Meimei'],
    ['receiver', '李雷'],
    ['姓名', '王小明'],
    ['收货人', '赵六'],
    ['first_name', 'Lucy'],
  ],
  id: [
    ['passport', 'E12345678'],
    ['ssn', '078-05-1120'],
    ['idCard', '440524ABC'],
    ['身份证号', '44052418800101'],
  ],
  address: [
    ['address', '杭州市西湖区文一西路 969 号'],
    ['street', '5th Avenue 12'],
    ['收货地址', '北京市海淀区'],
  ],
  phone: [
    ['phone', '65551234'],
    ['contactMobile', '5551234'],
    ['电话', '8888 6666'],
  ],
  card: [
    ['cardNo', '123456789012'],
    ['银行卡号', '1234 5678 9012'],
  ],
};

/** Places and encodings that a value known by its form may stand in. */
export const FORMS: Readonly<Record<string, (value: string) => Partial<Recorded>>> = {
  'a segment of the path': (value) => ({ path: `/users/${encodeURIComponent(value)}/orders` }),
  'the query': (value) => ({ path: `/search?q=${encodeURIComponent(value)}&page=1` }),
  'the query of an address in the query': (value) => ({
    path: `/go?to=${encodeURIComponent(`https://shop.test/x?q=${encodeURIComponent(value)}`)}`,
  }),
  'every character percent-encoded': (value) => ({
    path: `/search?q=${[...Buffer.from(value)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`,
  }),
  'a header': (value) => ({ headers: ['x-note', headerSafe(value)] }),
  'a referer': (value) => ({ headers: ['referer', `https://shop.test/a?q=${encodeURIComponent(value)}`] }),
  'a JSON string': (value) => ({ body: JSON.stringify({ note: value }) }),
  'a JSON list': (value) => ({ body: JSON.stringify([1, [value], true]) }),
  'a JSON key': (value) => ({ body: JSON.stringify({ [value]: 1 }) }),
  'a sentence in JSON': (value) => ({ body: JSON.stringify({ note: `please ask ${value} first, thanks` }) }),
  'JSON escapes': (value) => ({
    body: `{"note":"${Array.from(value, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"}`,
  }),
  'JSON in a JSON string': (value) => ({ body: JSON.stringify({ payload: JSON.stringify({ note: value }) }) }),
  'base64 of JSON': (value) => ({
    body: JSON.stringify({ payload: Buffer.from(JSON.stringify({ note: value })).toString('base64') }),
  }),
  'base64 of JSON in the query': (value) => ({
    path: `/x?payload=${Buffer.from(JSON.stringify({ note: value })).toString('base64url')}`,
  }),
  'JSON that was cut': (value) => ({ body: `{"list":[{"note":"${value}` }),
  'a form body': (value) => ({ body: `a=1&note=${encodeURIComponent(value)}&b=2` }),
  'plain text': (value) => ({ body: `delivered to ${value}, signed` }),
  XML: (value) => ({ body: `<order><note>${value}</note></order>` }),
  'an answer header': (value) => ({ answerHeaders: ['x-note', headerSafe(value)] }),
  'an answer body': (value) => ({ answerBody: JSON.stringify({ note: value }) }),
};

/** The notations in which a key may stand before its value. */
export const NOTATIONS: Readonly<Record<string, (key: string, value: string) => Partial<Recorded>>> = {
  JSON: (key, value) => ({ body: JSON.stringify({ [key]: value }) }),
  'JSON, deep in a list': (key, value) => ({ body: JSON.stringify({ list: [{ a: 1 }, { [key]: [value] }] }) }),
  'JSON with the key escaped': (key, value) => ({
    body: `{"\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${key.slice(1)}":${JSON.stringify(value)}}`,
  }),
  'JSON in a JSON string': (key, value) => ({ body: JSON.stringify({ payload: JSON.stringify({ [key]: value }) }) }),
  'base64 of JSON': (key, value) => ({
    body: JSON.stringify({ payload: Buffer.from(JSON.stringify({ [key]: value })).toString('base64') }),
  }),
  'the query': (key, value) => ({ path: `/x?a=1&${encodeURIComponent(key)}=${encodeURIComponent(value)}` }),
  'a form body': (key, value) => ({ body: `a=1&${encodeURIComponent(key)}=${encodeURIComponent(value)}` }),
  XML: (key, value) => ({ body: `<order><${key}>${value}</${key}></order>` }),
  'text with quotes': (key, value) => ({ body: `rejected: ${key}: "${value}", try again` }),
  'a multipart form': (key, value) => ({
    body: `--b1\r\nContent-Disposition: form-data; name="${key}"\r\n\r\n${value}\r\n--b1--\r\n`,
  }),
};

/** A header holds Latin letters only; others stand there percent-encoded. */
function headerSafe(value: string): string {
  return /^[ -~]*$/.test(value) ? value : encodeURIComponent(value);
}
