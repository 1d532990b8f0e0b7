"""The words of which the bench makes its texts, the frequent ones first."""

ENGLISH = '''the of and to in is that it was for on as with his they at be this have from or one had by but not what
all were we when your can said there use an each which she do how their if will up other about out many then them
these so some her would make like him into time has look two more write go see number no way could people my than
first water been call who its now find long down day did get come made may part over new sound take only little work
know place years live me back give most very after things our just name good sentence man think say great where help
through much before line right too means old any same tell boy follow came want show also around form three small
set put end does another well large must big even such because turn here why ask went men read need land different
home us move try kind hand picture again change off play spell air away animal house point page letter mother answer
found study still learn should world high every near add food between own below country plant last school father
keep tree never start city earth'''

PORTUGUESE = '''de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem
à seu sua ou ser quando muito há nos já está eu também só pelo pela até isso ela entre era depois sem mesmo aos ter
seus quem nas me esse eles estão você tinha foram essa num nem suas meu às minha têm numa pelos elas havia seja qual
será nós tenho lhe deles essas esses pelas este fosse dele coração informação educação população situação atenção
relação condição água países português política público econômico histórico último próprio possível necessário
difícil família ciência experiência consciência memória história língua século área número período médico música
física máquina avó avô irmão irmã mãe pão mão verão inverno manhã amanhã então razão questão região religião opinião
avião ônibus açúcar café vovô três mês inglês francês câmara pássaro lâmpada fácil útil árvore óculos índice órgão
ímã ação ações açaí pinguim ideia'''

GERMAN = '''der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus
er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis
mehr durch man sein wurde sei Prozent hatte kann gegen vom können schon wenn habe seine Straße groß größer weiß heiß
Fuß Gruß Spaß außerdem schließlich müssen würde dürfen möchte früher später natürlich Mädchen Männer Länder Städte
Häuser Bäume Bücher Brüder Söhne Töchter Vögel Köln München Österreich Übung Äpfel Öl Jahr Zeit Mensch Leben Arbeit
Frage Haus Welt Hand'''

GREEK = '''και το να του η της ο με που την από για τα είναι των σε τον οι στο θα τη στην τους δεν τις μια ένα ότι
ως στη αυτό στον κατά μας αλλά πολύ αν όταν μετά όπως είχε έχει μου ήταν πως κάθε τώρα πριν έναν μία όλα ίδιο μόνο
χρόνια ζωή άνθρωπος άνθρωποι κόσμος χώρα πόλη ημέρα νύχτα θάλασσα ήλιος ουρανός γη νερό φως δέντρο λουλούδι πουλί
σκύλος γάτα σπίτι δρόμος πόρτα παράθυρο τραπέζι βιβλίο λέξη γλώσσα ελληνική ιστορία επιστήμη φύση τέχνη μουσική
εικόνα φωνή χέρι μάτι καρδιά ψυχή μυαλό σώμα πατέρας μητέρα αδελφός αδελφή παιδί φίλος δουλειά εργασία σχολείο
δάσκαλος μαθητής ερώτηση απάντηση αρχή τέλος μεγάλος μικρός καλός κακός νέος παλιός ωραίος πρώτος τελευταίος
ευρωπαϊκός γαϊδούρι προϋπόθεση ταΐζω μαΐου αϋπνία ευτυχία δύναμη ελευθερία δικαιοσύνη αλήθεια σχέση πρόβλημα λόγος
σημείο περίπτωση υπάρχει γίνεται'''

RUSSIAN = '''и в не на я быть он с что а по это она этот к но они мы весь который из у свой как за вы так для ты от
мочь год один такой тот или если только его бы себя другой когда уже до время сказать чтобы наш даже стать при о вот
день мой кто самый очень ещё всё её моё твоё человек дело жизнь первый рука раз работа слово место лицо друг глаз
вопрос дом сторона страна мир случай голова ребёнок сила конец вид система часть город отношение женщина деньги
земля машина вода отец проблема час право нога решение дверь образ история власть закон война бог голос тысяча книга
возможность результат ночь стол имя область статья число компания народ жена группа развитие процесс суд условие
средство начало свет пора путь душа уровень форма связь минута улица вечер качество мысль дорога мать действие
государство язык любовь взгляд объект подъезд съёмка вьюга чёрный жёлтый зелёный шёл нашёл ёлка щука цвет эхо юность
яблоко хлеб филин чай шум'''

CHINESE = '''的 是 我们 不 在 有 这个 他 上 个 大 来 和 中国 地方 出 也 说 时候
对 要 会 自己 年 没有 人民 可以 你 工作 学习 问题 生活 世界 社会 国家 经济 发展 文化 历史
科学 技术 教育 学生 老师 朋友 家庭 父亲 母亲 孩子 今天 明天 昨天 现在 早上 晚上 北京 上海 城市
农村 山水 天气 太阳 月亮 星星 春天 夏天 秋天 冬天 重要 美丽 漂亮 高兴 快乐 认真 努力 成功 希望
因为 所以 但是 如果 虽然 然后 已经 正在 非常 一定 可能 应该 需要 知道 觉得 认为 开始 结束 电脑
网络 信息 语言 文字 图书馆'''

JAPANESE = '''の に は を た が で て と し れ さ ある いる する から こと として
なる ない もの という それ これ ここ わたし あなた 私 日本 日本語 東京 京都 大阪 時間 今日 明日
昨日 学校 先生 学生 友達 家族 仕事 会社 電車 自動車 飛行機 新聞 雑誌 辞書 言葉 文字 漢字
ひらがな カタカナ コンピュータ インターネット ソフトウェア データ プログラム ニュース テレビ ラジオ
ホテル レストラン コーヒー 食べる 飲む 見る 聞く 話す 読む 書く 行く 来る 帰る 大きい 小さい
新しい 古い 美しい 楽しい 難しい 春 夏 秋 冬 山 川 海 空 雨 雪'''

KOREAN = '''그리고 나는 우리 이것은 그것은 사람 사람들이 한국 한국어 서울 부산 시간 오늘 내일 어제 지금 학교 선생님
학생 친구 가족 아버지 어머니 아이들 일을 회사 도시 나라 세계 사회 문화 역사 과학 기술 교육 문제 생활 경제 발전 정부 국민
언어 글자 책을 신문 음악 영화 사진 그림 바다 하늘 산에서 강물 봄 여름 가을 겨울 날씨 아침 저녁 밤에 크다 작다 좋다
아름다운 새로운 오래된 많은 모든 있다 없다 하다 했다 간다 온다 보고 듣고 말하고 읽고 쓰는 것이다 때문에 그러나 그래서 만약
이미 아주 매우 정말 항상'''
