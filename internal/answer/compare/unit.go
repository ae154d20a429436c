package compare

import "strings"

// unit is a unit of measurement: its canonical name, what it measures, and how many of the dimension's base it is (0: not to be converted).
type unit struct {
	name, dimension string
	factor          float64
}

// units by the word that follows a number, lower case and simplified.
var units = func() map[string]unit {
	m := map[string]unit{}
	for line := range strings.Lines(unitList) {
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		u := unit{name: f[0], dimension: f[1], factor: parseFactor(f[2])}
		for _, w := range f[3:] {
			m[strings.ReplaceAll(w, "_", " ")] = u
		}
		m[u.name] = u
	}
	return m
}()

func parseFactor(s string) float64 {
	v, _, ok := parseDigits(s)
	if !ok {
		panic("compare: factor " + s + " is no number") // a list of this file
	}
	return v
}

// unitList: canonical name, dimension, factor, words.
const unitList = `
mm length 0.001 millimetre millimeter millimetres millimeters 毫米 公厘
cm length 0.01 centimetre centimeter centimetres centimeters 厘米 公分
m length 1 metre meter metres meters 米 公尺
km length 1000 kilometre kilometer kilometres kilometers kms 公里 千米
mile length 1609.344 miles mi 英里
foot length 0.3048 feet ft 英尺
inch length 0.0254 inches 英寸
yard length 0.9144 yards 码
li length 500 里 华里
um length 0.000001 μm µm micrometre micrometer micrometres micrometers micron microns 微米
nm length 0.000000001 nanometre nanometer nanometres nanometers 纳米
nmile length 1852 海里
lightyear length 9460730472580800 光年
mg mass 0.000001 milligram milligrams 毫克
ug mass 0.000000001 μg µg mcg microgram micrograms 微克
g mass 0.001 gram grams 克 公克
kg mass 1 kilogram kilograms kilo kilos 公斤 千克
jin mass 0.5 斤
tonne mass 1000 tonnes ton tons 吨 公吨
pound mass 0.45359237 lb lbs 磅
ounce mass 0.028349523125 ounces oz 盎司
ml volume 0.001 millilitre milliliter millilitres milliliters 毫升
l volume 1 litre liter litres liters 升 公升
gallon volume 3.785411784 gallons 加仑
m2 area 1 m² square_metre square_meter square_metres square_meters 平方米 平方公尺
km2 area 1000000 km² square_kilometre square_kilometer square_kilometres square_kilometers 平方公里 平方千米
sqmile area 2589988 square_mile square_miles 平方英里
hectare area 10000 hectares ha 公顷
acre area 4046.8564224 acres 英亩
mu area 666.6666667 亩
m3 volume3 1 m³ cubic_metre cubic_meter cubic_metres cubic_meters 立方米
second duration 1 seconds sec secs 秒 秒钟
minute duration 60 minutes min mins 分钟
hour duration 3600 hours hr hrs 小时 钟头
day duration 86400 days 天
week duration 604800 weeks wk 周 星期 礼拜
month duration 0 months 个月
year duration 0 years yr yrs 年 载
decadespan duration 0 decades
centuryspan duration 0 centuries
ms duration 0.001 millisecond milliseconds 毫秒
percent share 1 % per_cent pct 百分点
usd money 0 $ dollar dollars 美元 美金 美圆
eur money 0 € euro euros 欧元
gbp money 0 £ 英镑
cny money 0 ¥ yuan renminbi rmb 元 人民币 块钱
jpy money 0 yen 日元 日圆
hkd money 0 港元 港币 港圆
twd money 0 新台币 台币
celsius temperature 0 °c ℃ 摄氏度
fahrenheit temperature 0 °f 华氏度
degree angle 0 degrees 度
times ratio 0 倍
hz frequency 1 hertz 赫兹 赫
khz frequency 1000 kilohertz 千赫
mhz frequency 1000000 megahertz 兆赫
ghz frequency 1000000000 gigahertz 吉赫
watt power 1 watts w 瓦 瓦特
kw power 1000 kilowatt kilowatts 千瓦
mw power 1000000 megawatt megawatts 兆瓦
volt voltage 1 volts v 伏 伏特
kb storage 1024 kilobyte kilobytes
mb storage 1048576 megabyte megabytes
gb storage 1073741824 gigabyte gigabytes
tb storage 1099511627776 terabyte terabytes
mmol amount 0.001 millimole millimoles
mol amount 1 mole moles
umol amount 0.000001 μmol µmol
kcal energy 0 calorie calories 卡路里 大卡
joule energy 0 joules 焦耳
mph speed 0 英里每小时
kmh speed 0 km/h kph
`

// hanMeasures follow a number that counts something.
const hanMeasures = "个名人位年月日号天周岁次届座种条只家间所部本份张件项层米里公尺寸斤吨元块角秒时点度倍代集场支枝匹头架辆艘颗粒套对双组批门级期章节篇首段句字声席员户村县市省国州区城站台卷册枚株棵朵片根栋幢排轮局盘世万亿千百英平立毫厘克升亩码磅卡美欧港小分英%"

// multiples are words that multiply the number before them.
var multiples = map[string]float64{
	"hundred": 100, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "bn": 1e9,
	"百": 100, "千": 1e3, "万": 1e4, "亿": 1e8,
}

var numberWords = map[string]float64{
	"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
	"thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
	"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "dozen": 12,
}

var ordinalWords = map[string]float64{
	"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12,
	"thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16, "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20,
}

var monthWords = func() map[string]float64 {
	m := map[string]float64{}
	for i, w := range strings.Fields("january february march april may june july august september october november december") {
		m[w] = float64(i + 1)
	}
	for i, w := range strings.Fields("jan feb mar apr - jun jul aug sep oct nov dec") {
		m[w] = float64(i + 1)
	}
	m["sept"] = 9
	return m
}()

var weekdayWords = map[string]float64{"monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6, "sunday": 7}

// limits are words before a number that make it a limit.
var limits = map[string]bound{
	"about": about, "approximately": about, "around": about, "nearly": about, "almost": about, "roughly": about, "circa": about, "approx": about,
	"over": atLeast, "exceeding": atLeast, "exceeded": atLeast, "exceeds": atLeast, "under": atMost, "below": atMost, "above": atLeast,
	"约": about, "大约": about, "近": about, "将近": about, "接近": about, "约为": about, "大概": about, "几乎": about, "约有": about, "约在": about,
	"至少": atLeast, "最少": atLeast, "超过": atLeast, "逾": atLeast, "超": atLeast, "多于": atLeast, "大于": atLeast, "高于": atLeast, "不少于": atLeast, "不低于": atLeast,
	"最多": atMost, "至多": atMost, "不足": atMost, "不到": atMost, "少于": atMost, "低于": atMost, "小于": atMost, "不超过": atMost,
}

// limitPairs are such words in two.
var limitPairs = map[string]bound{
	"more than": atLeast, "greater than": atLeast, "at least": atLeast, "higher than": atLeast, "no fewer": atLeast, "no less": atLeast, "longer than": atLeast,
	"less than": atMost, "fewer than": atMost, "at most": atMost, "up to": atMost, "lower than": atMost, "no more": atMost, "shorter than": atMost,
	"close to": about,
}

// limitsAfter follow a Chinese number.
var limitsAfter = map[string]bound{"多": about, "余": about, "几": about, "左右": about, "上下": about, "以上": atLeast, "以下": atMost, "以内": atMost}
