package counterfactual

import "strings"

// both reads pairs "a:b" as swaps in both directions; _ stands for a space.
func both(list string) [][2]string { return append(pairs(list), reversed(list)...) }

func pairs(list string) [][2]string {
	var out [][2]string
	for _, p := range strings.Fields(list) {
		a, b, _ := strings.Cut(strings.ReplaceAll(p, "_", " "), ":")
		out = append(out, [2]string{a, b})
	}
	return out
}

func reversed(list string) [][2]string {
	out := pairs(list)
	for i, p := range out {
		out[i] = [2]string{p[1], p[0]}
	}
	return out
}

var (
	englishDirections = both(`increased:decreased increase:decrease increases:decreases increasing:decreasing higher:lower more:less before:after larger:smaller rise:fall rose:fell north:south
		northern:southern eastern:western east:west upper:lower above:below inside:outside first:last early:late earlier:later positive:negative greater:lesser improved:worsened
		increasingly:decreasingly maximum:minimum highest:lowest largest:smallest older:younger stronger:weaker enhanced:reduced faster:slower longer:shorter gained:lost accepted:rejected
		upregulated:downregulated major:minor strong:weak internal:external majority:minority upstream:downstream allowed:prohibited activation:inhibition`)
	chineseDirections = both(`增加:减少 增加:減少 上升:下降 提高:降低 之前:之后 之前:之後 以前:以后 以前:以後 最大:最小 最高:最低 最早:最晚 北部:南部 東部:西部 东部:西部 北方:南方 較大:較小 较大:较小 較高:較低 较高:较低
		開始:結束 开始:结束 擴大:縮小 扩大:缩小 內部:外部 内部:外部 上游:下游 增強:減弱 增强:减弱 東北:西南 东北:西南 支持:反對 支持:反对 進口:出口 进口:出口 多數:少數 多数:少数 直接:間接 直接:间接 成功:失敗 成功:失败
		進入:離開 进入:离开 超過:低於 加入:退出 左側:右側 左侧:右侧 南側:北側 早期:晚期 長期:短期 长期:短期 東側:西側 主要:次要 增長:下跌 增长:下跌 勝利:失敗 胜利:失败 接受:拒絕 接受:拒绝 公開:秘密 戰勝:敗給`)
	englishUnits = both(`km:miles kilometres:metres miles:feet meters:feet metres:feet hours:minutes days:weeks weeks:months months:years years:days minutes:seconds mg:kg kg:tonnes
		g:mg ml:litres mm:cm percent:times m:km inches:feet acres:hectares pounds:ounces decades:years square_miles:square_kilometres mmol:mol`)
	chineseUnits = both(`公里:公尺 公里:米 平方公里:公頃 平方公里:公顷 公尺:公分 米:厘米 公斤:公噸 公斤:吨 千克:克 小時:分鐘 小时:分钟 天:個月 天:个月 年:天 年:個月 週:年 周:年 歲:天 元:美元 萬元:億元 厘米:毫米 公頃:畝 英里:公里 噸:公斤
		秒:小時 秒:小时 英尺:公尺 磅:公斤 個月:年 个月:年 度:米`)
	englishSynonyms = pairs(`however:nevertheless because:since shows:demonstrates showed:demonstrated found:discovered also:additionally used:employed several:various many:numerous
		began:started important:significant about:approximately often:frequently usually:typically although:though especially:particularly large:big such_as:including
		while:whereas therefore:thus main:primary entire:whole may:might need:require got:obtained led_to:resulted_in suggests:indicates suggest:indicate known_as:called
		assessed:evaluated examined:investigated within:in due_to:because_of in_order_to:to created:made built:constructed famous:well-known near:close_to`)
	chineseSynonyms = pairs(`因為:由於 因为:由于 但是:然而 但:不過 例如:譬如 例如:比如 成立:設立 成立:创建 建立:創建 建立:创立 位於:坐落於 位于:坐落于 目前:現在 目前:现在 稱為:稱作 称为:叫做 使用:運用 使用:运用 也:亦 以及:和 與:和 与:和 著名:知名
		開始:著手 开始:着手 認為:覺得 认为:觉得 擁有:具有 拥有:具有 獲得:取得 获得:取得 重要:關鍵 重要:关键 逐漸:漸漸 逐渐:渐渐 許多:很多 许多:很多 如果:假如 因此:所以 大約:約 大约:约 非常:十分 居住:定居 建造:興建 建造:兴建 導致:造成 导致:造成 負責:主管
		主要:首要 曾經:曾 曾经:曾 立刻:馬上 之後:以後 之后:以后 立即:马上 變成:成為 变成:成为`)
)

func directionSwaps(chinese bool) [][2]string {
	if chinese {
		return chineseDirections
	}
	return englishDirections
}

func unitSwaps(chinese bool) [][2]string {
	if chinese {
		return chineseUnits
	}
	return englishUnits
}

func synonymSwaps(chinese bool) [][2]string {
	if chinese {
		return chineseSynonyms
	}
	return englishSynonyms
}
