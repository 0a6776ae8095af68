/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic for the preprocessor, which has none of its own: tables for <zephyr/sys/util_macro.h>. Our own.
 *
 * Numbers reach from 0 to 256, lists have at most 64 members.
 */
#ifndef KMEM_ZEPHYR_UTIL_TABLES_H
#define KMEM_ZEPHYR_UTIL_TABLES_H

#include <kmem/kconfig.h>

#pragma GCC system_header

/* n + 1 */
#define KMEM_INC_0 1
#define KMEM_INC_1 2
#define KMEM_INC_2 3
#define KMEM_INC_3 4
#define KMEM_INC_4 5
#define KMEM_INC_5 6
#define KMEM_INC_6 7
#define KMEM_INC_7 8
#define KMEM_INC_8 9
#define KMEM_INC_9 10
#define KMEM_INC_10 11
#define KMEM_INC_11 12
#define KMEM_INC_12 13
#define KMEM_INC_13 14
#define KMEM_INC_14 15
#define KMEM_INC_15 16
#define KMEM_INC_16 17
#define KMEM_INC_17 18
#define KMEM_INC_18 19
#define KMEM_INC_19 20
#define KMEM_INC_20 21
#define KMEM_INC_21 22
#define KMEM_INC_22 23
#define KMEM_INC_23 24
#define KMEM_INC_24 25
#define KMEM_INC_25 26
#define KMEM_INC_26 27
#define KMEM_INC_27 28
#define KMEM_INC_28 29
#define KMEM_INC_29 30
#define KMEM_INC_30 31
#define KMEM_INC_31 32
#define KMEM_INC_32 33
#define KMEM_INC_33 34
#define KMEM_INC_34 35
#define KMEM_INC_35 36
#define KMEM_INC_36 37
#define KMEM_INC_37 38
#define KMEM_INC_38 39
#define KMEM_INC_39 40
#define KMEM_INC_40 41
#define KMEM_INC_41 42
#define KMEM_INC_42 43
#define KMEM_INC_43 44
#define KMEM_INC_44 45
#define KMEM_INC_45 46
#define KMEM_INC_46 47
#define KMEM_INC_47 48
#define KMEM_INC_48 49
#define KMEM_INC_49 50
#define KMEM_INC_50 51
#define KMEM_INC_51 52
#define KMEM_INC_52 53
#define KMEM_INC_53 54
#define KMEM_INC_54 55
#define KMEM_INC_55 56
#define KMEM_INC_56 57
#define KMEM_INC_57 58
#define KMEM_INC_58 59
#define KMEM_INC_59 60
#define KMEM_INC_60 61
#define KMEM_INC_61 62
#define KMEM_INC_62 63
#define KMEM_INC_63 64
#define KMEM_INC_64 65
#define KMEM_INC_65 66
#define KMEM_INC_66 67
#define KMEM_INC_67 68
#define KMEM_INC_68 69
#define KMEM_INC_69 70
#define KMEM_INC_70 71
#define KMEM_INC_71 72
#define KMEM_INC_72 73
#define KMEM_INC_73 74
#define KMEM_INC_74 75
#define KMEM_INC_75 76
#define KMEM_INC_76 77
#define KMEM_INC_77 78
#define KMEM_INC_78 79
#define KMEM_INC_79 80
#define KMEM_INC_80 81
#define KMEM_INC_81 82
#define KMEM_INC_82 83
#define KMEM_INC_83 84
#define KMEM_INC_84 85
#define KMEM_INC_85 86
#define KMEM_INC_86 87
#define KMEM_INC_87 88
#define KMEM_INC_88 89
#define KMEM_INC_89 90
#define KMEM_INC_90 91
#define KMEM_INC_91 92
#define KMEM_INC_92 93
#define KMEM_INC_93 94
#define KMEM_INC_94 95
#define KMEM_INC_95 96
#define KMEM_INC_96 97
#define KMEM_INC_97 98
#define KMEM_INC_98 99
#define KMEM_INC_99 100
#define KMEM_INC_100 101
#define KMEM_INC_101 102
#define KMEM_INC_102 103
#define KMEM_INC_103 104
#define KMEM_INC_104 105
#define KMEM_INC_105 106
#define KMEM_INC_106 107
#define KMEM_INC_107 108
#define KMEM_INC_108 109
#define KMEM_INC_109 110
#define KMEM_INC_110 111
#define KMEM_INC_111 112
#define KMEM_INC_112 113
#define KMEM_INC_113 114
#define KMEM_INC_114 115
#define KMEM_INC_115 116
#define KMEM_INC_116 117
#define KMEM_INC_117 118
#define KMEM_INC_118 119
#define KMEM_INC_119 120
#define KMEM_INC_120 121
#define KMEM_INC_121 122
#define KMEM_INC_122 123
#define KMEM_INC_123 124
#define KMEM_INC_124 125
#define KMEM_INC_125 126
#define KMEM_INC_126 127
#define KMEM_INC_127 128
#define KMEM_INC_128 129
#define KMEM_INC_129 130
#define KMEM_INC_130 131
#define KMEM_INC_131 132
#define KMEM_INC_132 133
#define KMEM_INC_133 134
#define KMEM_INC_134 135
#define KMEM_INC_135 136
#define KMEM_INC_136 137
#define KMEM_INC_137 138
#define KMEM_INC_138 139
#define KMEM_INC_139 140
#define KMEM_INC_140 141
#define KMEM_INC_141 142
#define KMEM_INC_142 143
#define KMEM_INC_143 144
#define KMEM_INC_144 145
#define KMEM_INC_145 146
#define KMEM_INC_146 147
#define KMEM_INC_147 148
#define KMEM_INC_148 149
#define KMEM_INC_149 150
#define KMEM_INC_150 151
#define KMEM_INC_151 152
#define KMEM_INC_152 153
#define KMEM_INC_153 154
#define KMEM_INC_154 155
#define KMEM_INC_155 156
#define KMEM_INC_156 157
#define KMEM_INC_157 158
#define KMEM_INC_158 159
#define KMEM_INC_159 160
#define KMEM_INC_160 161
#define KMEM_INC_161 162
#define KMEM_INC_162 163
#define KMEM_INC_163 164
#define KMEM_INC_164 165
#define KMEM_INC_165 166
#define KMEM_INC_166 167
#define KMEM_INC_167 168
#define KMEM_INC_168 169
#define KMEM_INC_169 170
#define KMEM_INC_170 171
#define KMEM_INC_171 172
#define KMEM_INC_172 173
#define KMEM_INC_173 174
#define KMEM_INC_174 175
#define KMEM_INC_175 176
#define KMEM_INC_176 177
#define KMEM_INC_177 178
#define KMEM_INC_178 179
#define KMEM_INC_179 180
#define KMEM_INC_180 181
#define KMEM_INC_181 182
#define KMEM_INC_182 183
#define KMEM_INC_183 184
#define KMEM_INC_184 185
#define KMEM_INC_185 186
#define KMEM_INC_186 187
#define KMEM_INC_187 188
#define KMEM_INC_188 189
#define KMEM_INC_189 190
#define KMEM_INC_190 191
#define KMEM_INC_191 192
#define KMEM_INC_192 193
#define KMEM_INC_193 194
#define KMEM_INC_194 195
#define KMEM_INC_195 196
#define KMEM_INC_196 197
#define KMEM_INC_197 198
#define KMEM_INC_198 199
#define KMEM_INC_199 200
#define KMEM_INC_200 201
#define KMEM_INC_201 202
#define KMEM_INC_202 203
#define KMEM_INC_203 204
#define KMEM_INC_204 205
#define KMEM_INC_205 206
#define KMEM_INC_206 207
#define KMEM_INC_207 208
#define KMEM_INC_208 209
#define KMEM_INC_209 210
#define KMEM_INC_210 211
#define KMEM_INC_211 212
#define KMEM_INC_212 213
#define KMEM_INC_213 214
#define KMEM_INC_214 215
#define KMEM_INC_215 216
#define KMEM_INC_216 217
#define KMEM_INC_217 218
#define KMEM_INC_218 219
#define KMEM_INC_219 220
#define KMEM_INC_220 221
#define KMEM_INC_221 222
#define KMEM_INC_222 223
#define KMEM_INC_223 224
#define KMEM_INC_224 225
#define KMEM_INC_225 226
#define KMEM_INC_226 227
#define KMEM_INC_227 228
#define KMEM_INC_228 229
#define KMEM_INC_229 230
#define KMEM_INC_230 231
#define KMEM_INC_231 232
#define KMEM_INC_232 233
#define KMEM_INC_233 234
#define KMEM_INC_234 235
#define KMEM_INC_235 236
#define KMEM_INC_236 237
#define KMEM_INC_237 238
#define KMEM_INC_238 239
#define KMEM_INC_239 240
#define KMEM_INC_240 241
#define KMEM_INC_241 242
#define KMEM_INC_242 243
#define KMEM_INC_243 244
#define KMEM_INC_244 245
#define KMEM_INC_245 246
#define KMEM_INC_246 247
#define KMEM_INC_247 248
#define KMEM_INC_248 249
#define KMEM_INC_249 250
#define KMEM_INC_250 251
#define KMEM_INC_251 252
#define KMEM_INC_252 253
#define KMEM_INC_253 254
#define KMEM_INC_254 255
#define KMEM_INC_255 256
#define KMEM_INC_256 257
#define KMEM_UP(n) KMEM_UP_(n)
#define KMEM_UP_(n) KMEM_INC_##n

/* n - 1, and 0 for 0 */
#define KMEM_DEC_0 0
#define KMEM_DEC_1 0
#define KMEM_DEC_2 1
#define KMEM_DEC_3 2
#define KMEM_DEC_4 3
#define KMEM_DEC_5 4
#define KMEM_DEC_6 5
#define KMEM_DEC_7 6
#define KMEM_DEC_8 7
#define KMEM_DEC_9 8
#define KMEM_DEC_10 9
#define KMEM_DEC_11 10
#define KMEM_DEC_12 11
#define KMEM_DEC_13 12
#define KMEM_DEC_14 13
#define KMEM_DEC_15 14
#define KMEM_DEC_16 15
#define KMEM_DEC_17 16
#define KMEM_DEC_18 17
#define KMEM_DEC_19 18
#define KMEM_DEC_20 19
#define KMEM_DEC_21 20
#define KMEM_DEC_22 21
#define KMEM_DEC_23 22
#define KMEM_DEC_24 23
#define KMEM_DEC_25 24
#define KMEM_DEC_26 25
#define KMEM_DEC_27 26
#define KMEM_DEC_28 27
#define KMEM_DEC_29 28
#define KMEM_DEC_30 29
#define KMEM_DEC_31 30
#define KMEM_DEC_32 31
#define KMEM_DEC_33 32
#define KMEM_DEC_34 33
#define KMEM_DEC_35 34
#define KMEM_DEC_36 35
#define KMEM_DEC_37 36
#define KMEM_DEC_38 37
#define KMEM_DEC_39 38
#define KMEM_DEC_40 39
#define KMEM_DEC_41 40
#define KMEM_DEC_42 41
#define KMEM_DEC_43 42
#define KMEM_DEC_44 43
#define KMEM_DEC_45 44
#define KMEM_DEC_46 45
#define KMEM_DEC_47 46
#define KMEM_DEC_48 47
#define KMEM_DEC_49 48
#define KMEM_DEC_50 49
#define KMEM_DEC_51 50
#define KMEM_DEC_52 51
#define KMEM_DEC_53 52
#define KMEM_DEC_54 53
#define KMEM_DEC_55 54
#define KMEM_DEC_56 55
#define KMEM_DEC_57 56
#define KMEM_DEC_58 57
#define KMEM_DEC_59 58
#define KMEM_DEC_60 59
#define KMEM_DEC_61 60
#define KMEM_DEC_62 61
#define KMEM_DEC_63 62
#define KMEM_DEC_64 63
#define KMEM_DEC_65 64
#define KMEM_DEC_66 65
#define KMEM_DEC_67 66
#define KMEM_DEC_68 67
#define KMEM_DEC_69 68
#define KMEM_DEC_70 69
#define KMEM_DEC_71 70
#define KMEM_DEC_72 71
#define KMEM_DEC_73 72
#define KMEM_DEC_74 73
#define KMEM_DEC_75 74
#define KMEM_DEC_76 75
#define KMEM_DEC_77 76
#define KMEM_DEC_78 77
#define KMEM_DEC_79 78
#define KMEM_DEC_80 79
#define KMEM_DEC_81 80
#define KMEM_DEC_82 81
#define KMEM_DEC_83 82
#define KMEM_DEC_84 83
#define KMEM_DEC_85 84
#define KMEM_DEC_86 85
#define KMEM_DEC_87 86
#define KMEM_DEC_88 87
#define KMEM_DEC_89 88
#define KMEM_DEC_90 89
#define KMEM_DEC_91 90
#define KMEM_DEC_92 91
#define KMEM_DEC_93 92
#define KMEM_DEC_94 93
#define KMEM_DEC_95 94
#define KMEM_DEC_96 95
#define KMEM_DEC_97 96
#define KMEM_DEC_98 97
#define KMEM_DEC_99 98
#define KMEM_DEC_100 99
#define KMEM_DEC_101 100
#define KMEM_DEC_102 101
#define KMEM_DEC_103 102
#define KMEM_DEC_104 103
#define KMEM_DEC_105 104
#define KMEM_DEC_106 105
#define KMEM_DEC_107 106
#define KMEM_DEC_108 107
#define KMEM_DEC_109 108
#define KMEM_DEC_110 109
#define KMEM_DEC_111 110
#define KMEM_DEC_112 111
#define KMEM_DEC_113 112
#define KMEM_DEC_114 113
#define KMEM_DEC_115 114
#define KMEM_DEC_116 115
#define KMEM_DEC_117 116
#define KMEM_DEC_118 117
#define KMEM_DEC_119 118
#define KMEM_DEC_120 119
#define KMEM_DEC_121 120
#define KMEM_DEC_122 121
#define KMEM_DEC_123 122
#define KMEM_DEC_124 123
#define KMEM_DEC_125 124
#define KMEM_DEC_126 125
#define KMEM_DEC_127 126
#define KMEM_DEC_128 127
#define KMEM_DEC_129 128
#define KMEM_DEC_130 129
#define KMEM_DEC_131 130
#define KMEM_DEC_132 131
#define KMEM_DEC_133 132
#define KMEM_DEC_134 133
#define KMEM_DEC_135 134
#define KMEM_DEC_136 135
#define KMEM_DEC_137 136
#define KMEM_DEC_138 137
#define KMEM_DEC_139 138
#define KMEM_DEC_140 139
#define KMEM_DEC_141 140
#define KMEM_DEC_142 141
#define KMEM_DEC_143 142
#define KMEM_DEC_144 143
#define KMEM_DEC_145 144
#define KMEM_DEC_146 145
#define KMEM_DEC_147 146
#define KMEM_DEC_148 147
#define KMEM_DEC_149 148
#define KMEM_DEC_150 149
#define KMEM_DEC_151 150
#define KMEM_DEC_152 151
#define KMEM_DEC_153 152
#define KMEM_DEC_154 153
#define KMEM_DEC_155 154
#define KMEM_DEC_156 155
#define KMEM_DEC_157 156
#define KMEM_DEC_158 157
#define KMEM_DEC_159 158
#define KMEM_DEC_160 159
#define KMEM_DEC_161 160
#define KMEM_DEC_162 161
#define KMEM_DEC_163 162
#define KMEM_DEC_164 163
#define KMEM_DEC_165 164
#define KMEM_DEC_166 165
#define KMEM_DEC_167 166
#define KMEM_DEC_168 167
#define KMEM_DEC_169 168
#define KMEM_DEC_170 169
#define KMEM_DEC_171 170
#define KMEM_DEC_172 171
#define KMEM_DEC_173 172
#define KMEM_DEC_174 173
#define KMEM_DEC_175 174
#define KMEM_DEC_176 175
#define KMEM_DEC_177 176
#define KMEM_DEC_178 177
#define KMEM_DEC_179 178
#define KMEM_DEC_180 179
#define KMEM_DEC_181 180
#define KMEM_DEC_182 181
#define KMEM_DEC_183 182
#define KMEM_DEC_184 183
#define KMEM_DEC_185 184
#define KMEM_DEC_186 185
#define KMEM_DEC_187 186
#define KMEM_DEC_188 187
#define KMEM_DEC_189 188
#define KMEM_DEC_190 189
#define KMEM_DEC_191 190
#define KMEM_DEC_192 191
#define KMEM_DEC_193 192
#define KMEM_DEC_194 193
#define KMEM_DEC_195 194
#define KMEM_DEC_196 195
#define KMEM_DEC_197 196
#define KMEM_DEC_198 197
#define KMEM_DEC_199 198
#define KMEM_DEC_200 199
#define KMEM_DEC_201 200
#define KMEM_DEC_202 201
#define KMEM_DEC_203 202
#define KMEM_DEC_204 203
#define KMEM_DEC_205 204
#define KMEM_DEC_206 205
#define KMEM_DEC_207 206
#define KMEM_DEC_208 207
#define KMEM_DEC_209 208
#define KMEM_DEC_210 209
#define KMEM_DEC_211 210
#define KMEM_DEC_212 211
#define KMEM_DEC_213 212
#define KMEM_DEC_214 213
#define KMEM_DEC_215 214
#define KMEM_DEC_216 215
#define KMEM_DEC_217 216
#define KMEM_DEC_218 217
#define KMEM_DEC_219 218
#define KMEM_DEC_220 219
#define KMEM_DEC_221 220
#define KMEM_DEC_222 221
#define KMEM_DEC_223 222
#define KMEM_DEC_224 223
#define KMEM_DEC_225 224
#define KMEM_DEC_226 225
#define KMEM_DEC_227 226
#define KMEM_DEC_228 227
#define KMEM_DEC_229 228
#define KMEM_DEC_230 229
#define KMEM_DEC_231 230
#define KMEM_DEC_232 231
#define KMEM_DEC_233 232
#define KMEM_DEC_234 233
#define KMEM_DEC_235 234
#define KMEM_DEC_236 235
#define KMEM_DEC_237 236
#define KMEM_DEC_238 237
#define KMEM_DEC_239 238
#define KMEM_DEC_240 239
#define KMEM_DEC_241 240
#define KMEM_DEC_242 241
#define KMEM_DEC_243 242
#define KMEM_DEC_244 243
#define KMEM_DEC_245 244
#define KMEM_DEC_246 245
#define KMEM_DEC_247 246
#define KMEM_DEC_248 247
#define KMEM_DEC_249 248
#define KMEM_DEC_250 249
#define KMEM_DEC_251 250
#define KMEM_DEC_252 251
#define KMEM_DEC_253 252
#define KMEM_DEC_254 253
#define KMEM_DEC_255 254
#define KMEM_DEC_256 255
#define KMEM_DEC_257 256

/* n * 2 */
#define KMEM_TWICE_0 0
#define KMEM_TWICE_1 2
#define KMEM_TWICE_2 4
#define KMEM_TWICE_3 6
#define KMEM_TWICE_4 8
#define KMEM_TWICE_5 10
#define KMEM_TWICE_6 12
#define KMEM_TWICE_7 14
#define KMEM_TWICE_8 16
#define KMEM_TWICE_9 18
#define KMEM_TWICE_10 20
#define KMEM_TWICE_11 22
#define KMEM_TWICE_12 24
#define KMEM_TWICE_13 26
#define KMEM_TWICE_14 28
#define KMEM_TWICE_15 30
#define KMEM_TWICE_16 32
#define KMEM_TWICE_17 34
#define KMEM_TWICE_18 36
#define KMEM_TWICE_19 38
#define KMEM_TWICE_20 40
#define KMEM_TWICE_21 42
#define KMEM_TWICE_22 44
#define KMEM_TWICE_23 46
#define KMEM_TWICE_24 48
#define KMEM_TWICE_25 50
#define KMEM_TWICE_26 52
#define KMEM_TWICE_27 54
#define KMEM_TWICE_28 56
#define KMEM_TWICE_29 58
#define KMEM_TWICE_30 60
#define KMEM_TWICE_31 62
#define KMEM_TWICE_32 64
#define KMEM_TWICE_33 66
#define KMEM_TWICE_34 68
#define KMEM_TWICE_35 70
#define KMEM_TWICE_36 72
#define KMEM_TWICE_37 74
#define KMEM_TWICE_38 76
#define KMEM_TWICE_39 78
#define KMEM_TWICE_40 80
#define KMEM_TWICE_41 82
#define KMEM_TWICE_42 84
#define KMEM_TWICE_43 86
#define KMEM_TWICE_44 88
#define KMEM_TWICE_45 90
#define KMEM_TWICE_46 92
#define KMEM_TWICE_47 94
#define KMEM_TWICE_48 96
#define KMEM_TWICE_49 98
#define KMEM_TWICE_50 100
#define KMEM_TWICE_51 102
#define KMEM_TWICE_52 104
#define KMEM_TWICE_53 106
#define KMEM_TWICE_54 108
#define KMEM_TWICE_55 110
#define KMEM_TWICE_56 112
#define KMEM_TWICE_57 114
#define KMEM_TWICE_58 116
#define KMEM_TWICE_59 118
#define KMEM_TWICE_60 120
#define KMEM_TWICE_61 122
#define KMEM_TWICE_62 124
#define KMEM_TWICE_63 126
#define KMEM_TWICE_64 128
#define KMEM_TWICE_65 130
#define KMEM_TWICE_66 132
#define KMEM_TWICE_67 134
#define KMEM_TWICE_68 136
#define KMEM_TWICE_69 138
#define KMEM_TWICE_70 140
#define KMEM_TWICE_71 142
#define KMEM_TWICE_72 144
#define KMEM_TWICE_73 146
#define KMEM_TWICE_74 148
#define KMEM_TWICE_75 150
#define KMEM_TWICE_76 152
#define KMEM_TWICE_77 154
#define KMEM_TWICE_78 156
#define KMEM_TWICE_79 158
#define KMEM_TWICE_80 160
#define KMEM_TWICE_81 162
#define KMEM_TWICE_82 164
#define KMEM_TWICE_83 166
#define KMEM_TWICE_84 168
#define KMEM_TWICE_85 170
#define KMEM_TWICE_86 172
#define KMEM_TWICE_87 174
#define KMEM_TWICE_88 176
#define KMEM_TWICE_89 178
#define KMEM_TWICE_90 180
#define KMEM_TWICE_91 182
#define KMEM_TWICE_92 184
#define KMEM_TWICE_93 186
#define KMEM_TWICE_94 188
#define KMEM_TWICE_95 190
#define KMEM_TWICE_96 192
#define KMEM_TWICE_97 194
#define KMEM_TWICE_98 196
#define KMEM_TWICE_99 198
#define KMEM_TWICE_100 200
#define KMEM_TWICE_101 202
#define KMEM_TWICE_102 204
#define KMEM_TWICE_103 206
#define KMEM_TWICE_104 208
#define KMEM_TWICE_105 210
#define KMEM_TWICE_106 212
#define KMEM_TWICE_107 214
#define KMEM_TWICE_108 216
#define KMEM_TWICE_109 218
#define KMEM_TWICE_110 220
#define KMEM_TWICE_111 222
#define KMEM_TWICE_112 224
#define KMEM_TWICE_113 226
#define KMEM_TWICE_114 228
#define KMEM_TWICE_115 230
#define KMEM_TWICE_116 232
#define KMEM_TWICE_117 234
#define KMEM_TWICE_118 236
#define KMEM_TWICE_119 238
#define KMEM_TWICE_120 240
#define KMEM_TWICE_121 242
#define KMEM_TWICE_122 244
#define KMEM_TWICE_123 246
#define KMEM_TWICE_124 248
#define KMEM_TWICE_125 250
#define KMEM_TWICE_126 252
#define KMEM_TWICE_127 254
#define KMEM_TWICE_128 256
#define KMEM_TWICE_129 258
#define KMEM_TWICE_130 260
#define KMEM_TWICE_131 262
#define KMEM_TWICE_132 264
#define KMEM_TWICE_133 266
#define KMEM_TWICE_134 268
#define KMEM_TWICE_135 270
#define KMEM_TWICE_136 272
#define KMEM_TWICE_137 274
#define KMEM_TWICE_138 276
#define KMEM_TWICE_139 278
#define KMEM_TWICE_140 280
#define KMEM_TWICE_141 282
#define KMEM_TWICE_142 284
#define KMEM_TWICE_143 286
#define KMEM_TWICE_144 288
#define KMEM_TWICE_145 290
#define KMEM_TWICE_146 292
#define KMEM_TWICE_147 294
#define KMEM_TWICE_148 296
#define KMEM_TWICE_149 298
#define KMEM_TWICE_150 300
#define KMEM_TWICE_151 302
#define KMEM_TWICE_152 304
#define KMEM_TWICE_153 306
#define KMEM_TWICE_154 308
#define KMEM_TWICE_155 310
#define KMEM_TWICE_156 312
#define KMEM_TWICE_157 314
#define KMEM_TWICE_158 316
#define KMEM_TWICE_159 318
#define KMEM_TWICE_160 320
#define KMEM_TWICE_161 322
#define KMEM_TWICE_162 324
#define KMEM_TWICE_163 326
#define KMEM_TWICE_164 328
#define KMEM_TWICE_165 330
#define KMEM_TWICE_166 332
#define KMEM_TWICE_167 334
#define KMEM_TWICE_168 336
#define KMEM_TWICE_169 338
#define KMEM_TWICE_170 340
#define KMEM_TWICE_171 342
#define KMEM_TWICE_172 344
#define KMEM_TWICE_173 346
#define KMEM_TWICE_174 348
#define KMEM_TWICE_175 350
#define KMEM_TWICE_176 352
#define KMEM_TWICE_177 354
#define KMEM_TWICE_178 356
#define KMEM_TWICE_179 358
#define KMEM_TWICE_180 360
#define KMEM_TWICE_181 362
#define KMEM_TWICE_182 364
#define KMEM_TWICE_183 366
#define KMEM_TWICE_184 368
#define KMEM_TWICE_185 370
#define KMEM_TWICE_186 372
#define KMEM_TWICE_187 374
#define KMEM_TWICE_188 376
#define KMEM_TWICE_189 378
#define KMEM_TWICE_190 380
#define KMEM_TWICE_191 382
#define KMEM_TWICE_192 384
#define KMEM_TWICE_193 386
#define KMEM_TWICE_194 388
#define KMEM_TWICE_195 390
#define KMEM_TWICE_196 392
#define KMEM_TWICE_197 394
#define KMEM_TWICE_198 396
#define KMEM_TWICE_199 398
#define KMEM_TWICE_200 400
#define KMEM_TWICE_201 402
#define KMEM_TWICE_202 404
#define KMEM_TWICE_203 406
#define KMEM_TWICE_204 408
#define KMEM_TWICE_205 410
#define KMEM_TWICE_206 412
#define KMEM_TWICE_207 414
#define KMEM_TWICE_208 416
#define KMEM_TWICE_209 418
#define KMEM_TWICE_210 420
#define KMEM_TWICE_211 422
#define KMEM_TWICE_212 424
#define KMEM_TWICE_213 426
#define KMEM_TWICE_214 428
#define KMEM_TWICE_215 430
#define KMEM_TWICE_216 432
#define KMEM_TWICE_217 434
#define KMEM_TWICE_218 436
#define KMEM_TWICE_219 438
#define KMEM_TWICE_220 440
#define KMEM_TWICE_221 442
#define KMEM_TWICE_222 444
#define KMEM_TWICE_223 446
#define KMEM_TWICE_224 448
#define KMEM_TWICE_225 450
#define KMEM_TWICE_226 452
#define KMEM_TWICE_227 454
#define KMEM_TWICE_228 456
#define KMEM_TWICE_229 458
#define KMEM_TWICE_230 460
#define KMEM_TWICE_231 462
#define KMEM_TWICE_232 464
#define KMEM_TWICE_233 466
#define KMEM_TWICE_234 468
#define KMEM_TWICE_235 470
#define KMEM_TWICE_236 472
#define KMEM_TWICE_237 474
#define KMEM_TWICE_238 476
#define KMEM_TWICE_239 478
#define KMEM_TWICE_240 480
#define KMEM_TWICE_241 482
#define KMEM_TWICE_242 484
#define KMEM_TWICE_243 486
#define KMEM_TWICE_244 488
#define KMEM_TWICE_245 490
#define KMEM_TWICE_246 492
#define KMEM_TWICE_247 494
#define KMEM_TWICE_248 496
#define KMEM_TWICE_249 498
#define KMEM_TWICE_250 500
#define KMEM_TWICE_251 502
#define KMEM_TWICE_252 504
#define KMEM_TWICE_253 506
#define KMEM_TWICE_254 508
#define KMEM_TWICE_255 510
#define KMEM_TWICE_256 512

/* A comma where both numbers are the same, see IS_EQ(). */
#define KMEM_SAME_0_AND_0 ,
#define KMEM_SAME_1_AND_1 ,
#define KMEM_SAME_2_AND_2 ,
#define KMEM_SAME_3_AND_3 ,
#define KMEM_SAME_4_AND_4 ,
#define KMEM_SAME_5_AND_5 ,
#define KMEM_SAME_6_AND_6 ,
#define KMEM_SAME_7_AND_7 ,
#define KMEM_SAME_8_AND_8 ,
#define KMEM_SAME_9_AND_9 ,
#define KMEM_SAME_10_AND_10 ,
#define KMEM_SAME_11_AND_11 ,
#define KMEM_SAME_12_AND_12 ,
#define KMEM_SAME_13_AND_13 ,
#define KMEM_SAME_14_AND_14 ,
#define KMEM_SAME_15_AND_15 ,
#define KMEM_SAME_16_AND_16 ,
#define KMEM_SAME_17_AND_17 ,
#define KMEM_SAME_18_AND_18 ,
#define KMEM_SAME_19_AND_19 ,
#define KMEM_SAME_20_AND_20 ,
#define KMEM_SAME_21_AND_21 ,
#define KMEM_SAME_22_AND_22 ,
#define KMEM_SAME_23_AND_23 ,
#define KMEM_SAME_24_AND_24 ,
#define KMEM_SAME_25_AND_25 ,
#define KMEM_SAME_26_AND_26 ,
#define KMEM_SAME_27_AND_27 ,
#define KMEM_SAME_28_AND_28 ,
#define KMEM_SAME_29_AND_29 ,
#define KMEM_SAME_30_AND_30 ,
#define KMEM_SAME_31_AND_31 ,
#define KMEM_SAME_32_AND_32 ,
#define KMEM_SAME_33_AND_33 ,
#define KMEM_SAME_34_AND_34 ,
#define KMEM_SAME_35_AND_35 ,
#define KMEM_SAME_36_AND_36 ,
#define KMEM_SAME_37_AND_37 ,
#define KMEM_SAME_38_AND_38 ,
#define KMEM_SAME_39_AND_39 ,
#define KMEM_SAME_40_AND_40 ,
#define KMEM_SAME_41_AND_41 ,
#define KMEM_SAME_42_AND_42 ,
#define KMEM_SAME_43_AND_43 ,
#define KMEM_SAME_44_AND_44 ,
#define KMEM_SAME_45_AND_45 ,
#define KMEM_SAME_46_AND_46 ,
#define KMEM_SAME_47_AND_47 ,
#define KMEM_SAME_48_AND_48 ,
#define KMEM_SAME_49_AND_49 ,
#define KMEM_SAME_50_AND_50 ,
#define KMEM_SAME_51_AND_51 ,
#define KMEM_SAME_52_AND_52 ,
#define KMEM_SAME_53_AND_53 ,
#define KMEM_SAME_54_AND_54 ,
#define KMEM_SAME_55_AND_55 ,
#define KMEM_SAME_56_AND_56 ,
#define KMEM_SAME_57_AND_57 ,
#define KMEM_SAME_58_AND_58 ,
#define KMEM_SAME_59_AND_59 ,
#define KMEM_SAME_60_AND_60 ,
#define KMEM_SAME_61_AND_61 ,
#define KMEM_SAME_62_AND_62 ,
#define KMEM_SAME_63_AND_63 ,
#define KMEM_SAME_64_AND_64 ,
#define KMEM_SAME_65_AND_65 ,
#define KMEM_SAME_66_AND_66 ,
#define KMEM_SAME_67_AND_67 ,
#define KMEM_SAME_68_AND_68 ,
#define KMEM_SAME_69_AND_69 ,
#define KMEM_SAME_70_AND_70 ,
#define KMEM_SAME_71_AND_71 ,
#define KMEM_SAME_72_AND_72 ,
#define KMEM_SAME_73_AND_73 ,
#define KMEM_SAME_74_AND_74 ,
#define KMEM_SAME_75_AND_75 ,
#define KMEM_SAME_76_AND_76 ,
#define KMEM_SAME_77_AND_77 ,
#define KMEM_SAME_78_AND_78 ,
#define KMEM_SAME_79_AND_79 ,
#define KMEM_SAME_80_AND_80 ,
#define KMEM_SAME_81_AND_81 ,
#define KMEM_SAME_82_AND_82 ,
#define KMEM_SAME_83_AND_83 ,
#define KMEM_SAME_84_AND_84 ,
#define KMEM_SAME_85_AND_85 ,
#define KMEM_SAME_86_AND_86 ,
#define KMEM_SAME_87_AND_87 ,
#define KMEM_SAME_88_AND_88 ,
#define KMEM_SAME_89_AND_89 ,
#define KMEM_SAME_90_AND_90 ,
#define KMEM_SAME_91_AND_91 ,
#define KMEM_SAME_92_AND_92 ,
#define KMEM_SAME_93_AND_93 ,
#define KMEM_SAME_94_AND_94 ,
#define KMEM_SAME_95_AND_95 ,
#define KMEM_SAME_96_AND_96 ,
#define KMEM_SAME_97_AND_97 ,
#define KMEM_SAME_98_AND_98 ,
#define KMEM_SAME_99_AND_99 ,
#define KMEM_SAME_100_AND_100 ,
#define KMEM_SAME_101_AND_101 ,
#define KMEM_SAME_102_AND_102 ,
#define KMEM_SAME_103_AND_103 ,
#define KMEM_SAME_104_AND_104 ,
#define KMEM_SAME_105_AND_105 ,
#define KMEM_SAME_106_AND_106 ,
#define KMEM_SAME_107_AND_107 ,
#define KMEM_SAME_108_AND_108 ,
#define KMEM_SAME_109_AND_109 ,
#define KMEM_SAME_110_AND_110 ,
#define KMEM_SAME_111_AND_111 ,
#define KMEM_SAME_112_AND_112 ,
#define KMEM_SAME_113_AND_113 ,
#define KMEM_SAME_114_AND_114 ,
#define KMEM_SAME_115_AND_115 ,
#define KMEM_SAME_116_AND_116 ,
#define KMEM_SAME_117_AND_117 ,
#define KMEM_SAME_118_AND_118 ,
#define KMEM_SAME_119_AND_119 ,
#define KMEM_SAME_120_AND_120 ,
#define KMEM_SAME_121_AND_121 ,
#define KMEM_SAME_122_AND_122 ,
#define KMEM_SAME_123_AND_123 ,
#define KMEM_SAME_124_AND_124 ,
#define KMEM_SAME_125_AND_125 ,
#define KMEM_SAME_126_AND_126 ,
#define KMEM_SAME_127_AND_127 ,
#define KMEM_SAME_128_AND_128 ,
#define KMEM_SAME_129_AND_129 ,
#define KMEM_SAME_130_AND_130 ,
#define KMEM_SAME_131_AND_131 ,
#define KMEM_SAME_132_AND_132 ,
#define KMEM_SAME_133_AND_133 ,
#define KMEM_SAME_134_AND_134 ,
#define KMEM_SAME_135_AND_135 ,
#define KMEM_SAME_136_AND_136 ,
#define KMEM_SAME_137_AND_137 ,
#define KMEM_SAME_138_AND_138 ,
#define KMEM_SAME_139_AND_139 ,
#define KMEM_SAME_140_AND_140 ,
#define KMEM_SAME_141_AND_141 ,
#define KMEM_SAME_142_AND_142 ,
#define KMEM_SAME_143_AND_143 ,
#define KMEM_SAME_144_AND_144 ,
#define KMEM_SAME_145_AND_145 ,
#define KMEM_SAME_146_AND_146 ,
#define KMEM_SAME_147_AND_147 ,
#define KMEM_SAME_148_AND_148 ,
#define KMEM_SAME_149_AND_149 ,
#define KMEM_SAME_150_AND_150 ,
#define KMEM_SAME_151_AND_151 ,
#define KMEM_SAME_152_AND_152 ,
#define KMEM_SAME_153_AND_153 ,
#define KMEM_SAME_154_AND_154 ,
#define KMEM_SAME_155_AND_155 ,
#define KMEM_SAME_156_AND_156 ,
#define KMEM_SAME_157_AND_157 ,
#define KMEM_SAME_158_AND_158 ,
#define KMEM_SAME_159_AND_159 ,
#define KMEM_SAME_160_AND_160 ,
#define KMEM_SAME_161_AND_161 ,
#define KMEM_SAME_162_AND_162 ,
#define KMEM_SAME_163_AND_163 ,
#define KMEM_SAME_164_AND_164 ,
#define KMEM_SAME_165_AND_165 ,
#define KMEM_SAME_166_AND_166 ,
#define KMEM_SAME_167_AND_167 ,
#define KMEM_SAME_168_AND_168 ,
#define KMEM_SAME_169_AND_169 ,
#define KMEM_SAME_170_AND_170 ,
#define KMEM_SAME_171_AND_171 ,
#define KMEM_SAME_172_AND_172 ,
#define KMEM_SAME_173_AND_173 ,
#define KMEM_SAME_174_AND_174 ,
#define KMEM_SAME_175_AND_175 ,
#define KMEM_SAME_176_AND_176 ,
#define KMEM_SAME_177_AND_177 ,
#define KMEM_SAME_178_AND_178 ,
#define KMEM_SAME_179_AND_179 ,
#define KMEM_SAME_180_AND_180 ,
#define KMEM_SAME_181_AND_181 ,
#define KMEM_SAME_182_AND_182 ,
#define KMEM_SAME_183_AND_183 ,
#define KMEM_SAME_184_AND_184 ,
#define KMEM_SAME_185_AND_185 ,
#define KMEM_SAME_186_AND_186 ,
#define KMEM_SAME_187_AND_187 ,
#define KMEM_SAME_188_AND_188 ,
#define KMEM_SAME_189_AND_189 ,
#define KMEM_SAME_190_AND_190 ,
#define KMEM_SAME_191_AND_191 ,
#define KMEM_SAME_192_AND_192 ,
#define KMEM_SAME_193_AND_193 ,
#define KMEM_SAME_194_AND_194 ,
#define KMEM_SAME_195_AND_195 ,
#define KMEM_SAME_196_AND_196 ,
#define KMEM_SAME_197_AND_197 ,
#define KMEM_SAME_198_AND_198 ,
#define KMEM_SAME_199_AND_199 ,
#define KMEM_SAME_200_AND_200 ,
#define KMEM_SAME_201_AND_201 ,
#define KMEM_SAME_202_AND_202 ,
#define KMEM_SAME_203_AND_203 ,
#define KMEM_SAME_204_AND_204 ,
#define KMEM_SAME_205_AND_205 ,
#define KMEM_SAME_206_AND_206 ,
#define KMEM_SAME_207_AND_207 ,
#define KMEM_SAME_208_AND_208 ,
#define KMEM_SAME_209_AND_209 ,
#define KMEM_SAME_210_AND_210 ,
#define KMEM_SAME_211_AND_211 ,
#define KMEM_SAME_212_AND_212 ,
#define KMEM_SAME_213_AND_213 ,
#define KMEM_SAME_214_AND_214 ,
#define KMEM_SAME_215_AND_215 ,
#define KMEM_SAME_216_AND_216 ,
#define KMEM_SAME_217_AND_217 ,
#define KMEM_SAME_218_AND_218 ,
#define KMEM_SAME_219_AND_219 ,
#define KMEM_SAME_220_AND_220 ,
#define KMEM_SAME_221_AND_221 ,
#define KMEM_SAME_222_AND_222 ,
#define KMEM_SAME_223_AND_223 ,
#define KMEM_SAME_224_AND_224 ,
#define KMEM_SAME_225_AND_225 ,
#define KMEM_SAME_226_AND_226 ,
#define KMEM_SAME_227_AND_227 ,
#define KMEM_SAME_228_AND_228 ,
#define KMEM_SAME_229_AND_229 ,
#define KMEM_SAME_230_AND_230 ,
#define KMEM_SAME_231_AND_231 ,
#define KMEM_SAME_232_AND_232 ,
#define KMEM_SAME_233_AND_233 ,
#define KMEM_SAME_234_AND_234 ,
#define KMEM_SAME_235_AND_235 ,
#define KMEM_SAME_236_AND_236 ,
#define KMEM_SAME_237_AND_237 ,
#define KMEM_SAME_238_AND_238 ,
#define KMEM_SAME_239_AND_239 ,
#define KMEM_SAME_240_AND_240 ,
#define KMEM_SAME_241_AND_241 ,
#define KMEM_SAME_242_AND_242 ,
#define KMEM_SAME_243_AND_243 ,
#define KMEM_SAME_244_AND_244 ,
#define KMEM_SAME_245_AND_245 ,
#define KMEM_SAME_246_AND_246 ,
#define KMEM_SAME_247_AND_247 ,
#define KMEM_SAME_248_AND_248 ,
#define KMEM_SAME_249_AND_249 ,
#define KMEM_SAME_250_AND_250 ,
#define KMEM_SAME_251_AND_251 ,
#define KMEM_SAME_252_AND_252 ,
#define KMEM_SAME_253_AND_253 ,
#define KMEM_SAME_254_AND_254 ,
#define KMEM_SAME_255_AND_255 ,
#define KMEM_SAME_256_AND_256 ,

/* f(0, args) s f(1, args) s ... f(n - 1, args), with separators s, see LISTIFY(). */
#define KMEM_LISTIFY_0(f, s, ...)
#define KMEM_LISTIFY_1(f, s, ...) f(0, __VA_ARGS__)
#define KMEM_LISTIFY_2(f, s, ...) KMEM_LISTIFY_1(f, s, __VA_ARGS__) __DEBRACKET s f(1, __VA_ARGS__)
#define KMEM_LISTIFY_3(f, s, ...) KMEM_LISTIFY_2(f, s, __VA_ARGS__) __DEBRACKET s f(2, __VA_ARGS__)
#define KMEM_LISTIFY_4(f, s, ...) KMEM_LISTIFY_3(f, s, __VA_ARGS__) __DEBRACKET s f(3, __VA_ARGS__)
#define KMEM_LISTIFY_5(f, s, ...) KMEM_LISTIFY_4(f, s, __VA_ARGS__) __DEBRACKET s f(4, __VA_ARGS__)
#define KMEM_LISTIFY_6(f, s, ...) KMEM_LISTIFY_5(f, s, __VA_ARGS__) __DEBRACKET s f(5, __VA_ARGS__)
#define KMEM_LISTIFY_7(f, s, ...) KMEM_LISTIFY_6(f, s, __VA_ARGS__) __DEBRACKET s f(6, __VA_ARGS__)
#define KMEM_LISTIFY_8(f, s, ...) KMEM_LISTIFY_7(f, s, __VA_ARGS__) __DEBRACKET s f(7, __VA_ARGS__)
#define KMEM_LISTIFY_9(f, s, ...) KMEM_LISTIFY_8(f, s, __VA_ARGS__) __DEBRACKET s f(8, __VA_ARGS__)
#define KMEM_LISTIFY_10(f, s, ...) KMEM_LISTIFY_9(f, s, __VA_ARGS__) __DEBRACKET s f(9, __VA_ARGS__)
#define KMEM_LISTIFY_11(f, s, ...) KMEM_LISTIFY_10(f, s, __VA_ARGS__) __DEBRACKET s f(10, __VA_ARGS__)
#define KMEM_LISTIFY_12(f, s, ...) KMEM_LISTIFY_11(f, s, __VA_ARGS__) __DEBRACKET s f(11, __VA_ARGS__)
#define KMEM_LISTIFY_13(f, s, ...) KMEM_LISTIFY_12(f, s, __VA_ARGS__) __DEBRACKET s f(12, __VA_ARGS__)
#define KMEM_LISTIFY_14(f, s, ...) KMEM_LISTIFY_13(f, s, __VA_ARGS__) __DEBRACKET s f(13, __VA_ARGS__)
#define KMEM_LISTIFY_15(f, s, ...) KMEM_LISTIFY_14(f, s, __VA_ARGS__) __DEBRACKET s f(14, __VA_ARGS__)
#define KMEM_LISTIFY_16(f, s, ...) KMEM_LISTIFY_15(f, s, __VA_ARGS__) __DEBRACKET s f(15, __VA_ARGS__)
#define KMEM_LISTIFY_17(f, s, ...) KMEM_LISTIFY_16(f, s, __VA_ARGS__) __DEBRACKET s f(16, __VA_ARGS__)
#define KMEM_LISTIFY_18(f, s, ...) KMEM_LISTIFY_17(f, s, __VA_ARGS__) __DEBRACKET s f(17, __VA_ARGS__)
#define KMEM_LISTIFY_19(f, s, ...) KMEM_LISTIFY_18(f, s, __VA_ARGS__) __DEBRACKET s f(18, __VA_ARGS__)
#define KMEM_LISTIFY_20(f, s, ...) KMEM_LISTIFY_19(f, s, __VA_ARGS__) __DEBRACKET s f(19, __VA_ARGS__)
#define KMEM_LISTIFY_21(f, s, ...) KMEM_LISTIFY_20(f, s, __VA_ARGS__) __DEBRACKET s f(20, __VA_ARGS__)
#define KMEM_LISTIFY_22(f, s, ...) KMEM_LISTIFY_21(f, s, __VA_ARGS__) __DEBRACKET s f(21, __VA_ARGS__)
#define KMEM_LISTIFY_23(f, s, ...) KMEM_LISTIFY_22(f, s, __VA_ARGS__) __DEBRACKET s f(22, __VA_ARGS__)
#define KMEM_LISTIFY_24(f, s, ...) KMEM_LISTIFY_23(f, s, __VA_ARGS__) __DEBRACKET s f(23, __VA_ARGS__)
#define KMEM_LISTIFY_25(f, s, ...) KMEM_LISTIFY_24(f, s, __VA_ARGS__) __DEBRACKET s f(24, __VA_ARGS__)
#define KMEM_LISTIFY_26(f, s, ...) KMEM_LISTIFY_25(f, s, __VA_ARGS__) __DEBRACKET s f(25, __VA_ARGS__)
#define KMEM_LISTIFY_27(f, s, ...) KMEM_LISTIFY_26(f, s, __VA_ARGS__) __DEBRACKET s f(26, __VA_ARGS__)
#define KMEM_LISTIFY_28(f, s, ...) KMEM_LISTIFY_27(f, s, __VA_ARGS__) __DEBRACKET s f(27, __VA_ARGS__)
#define KMEM_LISTIFY_29(f, s, ...) KMEM_LISTIFY_28(f, s, __VA_ARGS__) __DEBRACKET s f(28, __VA_ARGS__)
#define KMEM_LISTIFY_30(f, s, ...) KMEM_LISTIFY_29(f, s, __VA_ARGS__) __DEBRACKET s f(29, __VA_ARGS__)
#define KMEM_LISTIFY_31(f, s, ...) KMEM_LISTIFY_30(f, s, __VA_ARGS__) __DEBRACKET s f(30, __VA_ARGS__)
#define KMEM_LISTIFY_32(f, s, ...) KMEM_LISTIFY_31(f, s, __VA_ARGS__) __DEBRACKET s f(31, __VA_ARGS__)
#define KMEM_LISTIFY_33(f, s, ...) KMEM_LISTIFY_32(f, s, __VA_ARGS__) __DEBRACKET s f(32, __VA_ARGS__)
#define KMEM_LISTIFY_34(f, s, ...) KMEM_LISTIFY_33(f, s, __VA_ARGS__) __DEBRACKET s f(33, __VA_ARGS__)
#define KMEM_LISTIFY_35(f, s, ...) KMEM_LISTIFY_34(f, s, __VA_ARGS__) __DEBRACKET s f(34, __VA_ARGS__)
#define KMEM_LISTIFY_36(f, s, ...) KMEM_LISTIFY_35(f, s, __VA_ARGS__) __DEBRACKET s f(35, __VA_ARGS__)
#define KMEM_LISTIFY_37(f, s, ...) KMEM_LISTIFY_36(f, s, __VA_ARGS__) __DEBRACKET s f(36, __VA_ARGS__)
#define KMEM_LISTIFY_38(f, s, ...) KMEM_LISTIFY_37(f, s, __VA_ARGS__) __DEBRACKET s f(37, __VA_ARGS__)
#define KMEM_LISTIFY_39(f, s, ...) KMEM_LISTIFY_38(f, s, __VA_ARGS__) __DEBRACKET s f(38, __VA_ARGS__)
#define KMEM_LISTIFY_40(f, s, ...) KMEM_LISTIFY_39(f, s, __VA_ARGS__) __DEBRACKET s f(39, __VA_ARGS__)
#define KMEM_LISTIFY_41(f, s, ...) KMEM_LISTIFY_40(f, s, __VA_ARGS__) __DEBRACKET s f(40, __VA_ARGS__)
#define KMEM_LISTIFY_42(f, s, ...) KMEM_LISTIFY_41(f, s, __VA_ARGS__) __DEBRACKET s f(41, __VA_ARGS__)
#define KMEM_LISTIFY_43(f, s, ...) KMEM_LISTIFY_42(f, s, __VA_ARGS__) __DEBRACKET s f(42, __VA_ARGS__)
#define KMEM_LISTIFY_44(f, s, ...) KMEM_LISTIFY_43(f, s, __VA_ARGS__) __DEBRACKET s f(43, __VA_ARGS__)
#define KMEM_LISTIFY_45(f, s, ...) KMEM_LISTIFY_44(f, s, __VA_ARGS__) __DEBRACKET s f(44, __VA_ARGS__)
#define KMEM_LISTIFY_46(f, s, ...) KMEM_LISTIFY_45(f, s, __VA_ARGS__) __DEBRACKET s f(45, __VA_ARGS__)
#define KMEM_LISTIFY_47(f, s, ...) KMEM_LISTIFY_46(f, s, __VA_ARGS__) __DEBRACKET s f(46, __VA_ARGS__)
#define KMEM_LISTIFY_48(f, s, ...) KMEM_LISTIFY_47(f, s, __VA_ARGS__) __DEBRACKET s f(47, __VA_ARGS__)
#define KMEM_LISTIFY_49(f, s, ...) KMEM_LISTIFY_48(f, s, __VA_ARGS__) __DEBRACKET s f(48, __VA_ARGS__)
#define KMEM_LISTIFY_50(f, s, ...) KMEM_LISTIFY_49(f, s, __VA_ARGS__) __DEBRACKET s f(49, __VA_ARGS__)
#define KMEM_LISTIFY_51(f, s, ...) KMEM_LISTIFY_50(f, s, __VA_ARGS__) __DEBRACKET s f(50, __VA_ARGS__)
#define KMEM_LISTIFY_52(f, s, ...) KMEM_LISTIFY_51(f, s, __VA_ARGS__) __DEBRACKET s f(51, __VA_ARGS__)
#define KMEM_LISTIFY_53(f, s, ...) KMEM_LISTIFY_52(f, s, __VA_ARGS__) __DEBRACKET s f(52, __VA_ARGS__)
#define KMEM_LISTIFY_54(f, s, ...) KMEM_LISTIFY_53(f, s, __VA_ARGS__) __DEBRACKET s f(53, __VA_ARGS__)
#define KMEM_LISTIFY_55(f, s, ...) KMEM_LISTIFY_54(f, s, __VA_ARGS__) __DEBRACKET s f(54, __VA_ARGS__)
#define KMEM_LISTIFY_56(f, s, ...) KMEM_LISTIFY_55(f, s, __VA_ARGS__) __DEBRACKET s f(55, __VA_ARGS__)
#define KMEM_LISTIFY_57(f, s, ...) KMEM_LISTIFY_56(f, s, __VA_ARGS__) __DEBRACKET s f(56, __VA_ARGS__)
#define KMEM_LISTIFY_58(f, s, ...) KMEM_LISTIFY_57(f, s, __VA_ARGS__) __DEBRACKET s f(57, __VA_ARGS__)
#define KMEM_LISTIFY_59(f, s, ...) KMEM_LISTIFY_58(f, s, __VA_ARGS__) __DEBRACKET s f(58, __VA_ARGS__)
#define KMEM_LISTIFY_60(f, s, ...) KMEM_LISTIFY_59(f, s, __VA_ARGS__) __DEBRACKET s f(59, __VA_ARGS__)
#define KMEM_LISTIFY_61(f, s, ...) KMEM_LISTIFY_60(f, s, __VA_ARGS__) __DEBRACKET s f(60, __VA_ARGS__)
#define KMEM_LISTIFY_62(f, s, ...) KMEM_LISTIFY_61(f, s, __VA_ARGS__) __DEBRACKET s f(61, __VA_ARGS__)
#define KMEM_LISTIFY_63(f, s, ...) KMEM_LISTIFY_62(f, s, __VA_ARGS__) __DEBRACKET s f(62, __VA_ARGS__)
#define KMEM_LISTIFY_64(f, s, ...) KMEM_LISTIFY_63(f, s, __VA_ARGS__) __DEBRACKET s f(63, __VA_ARGS__)
#define KMEM_LISTIFY_65(f, s, ...) KMEM_LISTIFY_64(f, s, __VA_ARGS__) __DEBRACKET s f(64, __VA_ARGS__)
#define KMEM_LISTIFY_66(f, s, ...) KMEM_LISTIFY_65(f, s, __VA_ARGS__) __DEBRACKET s f(65, __VA_ARGS__)
#define KMEM_LISTIFY_67(f, s, ...) KMEM_LISTIFY_66(f, s, __VA_ARGS__) __DEBRACKET s f(66, __VA_ARGS__)
#define KMEM_LISTIFY_68(f, s, ...) KMEM_LISTIFY_67(f, s, __VA_ARGS__) __DEBRACKET s f(67, __VA_ARGS__)
#define KMEM_LISTIFY_69(f, s, ...) KMEM_LISTIFY_68(f, s, __VA_ARGS__) __DEBRACKET s f(68, __VA_ARGS__)
#define KMEM_LISTIFY_70(f, s, ...) KMEM_LISTIFY_69(f, s, __VA_ARGS__) __DEBRACKET s f(69, __VA_ARGS__)
#define KMEM_LISTIFY_71(f, s, ...) KMEM_LISTIFY_70(f, s, __VA_ARGS__) __DEBRACKET s f(70, __VA_ARGS__)
#define KMEM_LISTIFY_72(f, s, ...) KMEM_LISTIFY_71(f, s, __VA_ARGS__) __DEBRACKET s f(71, __VA_ARGS__)
#define KMEM_LISTIFY_73(f, s, ...) KMEM_LISTIFY_72(f, s, __VA_ARGS__) __DEBRACKET s f(72, __VA_ARGS__)
#define KMEM_LISTIFY_74(f, s, ...) KMEM_LISTIFY_73(f, s, __VA_ARGS__) __DEBRACKET s f(73, __VA_ARGS__)
#define KMEM_LISTIFY_75(f, s, ...) KMEM_LISTIFY_74(f, s, __VA_ARGS__) __DEBRACKET s f(74, __VA_ARGS__)
#define KMEM_LISTIFY_76(f, s, ...) KMEM_LISTIFY_75(f, s, __VA_ARGS__) __DEBRACKET s f(75, __VA_ARGS__)
#define KMEM_LISTIFY_77(f, s, ...) KMEM_LISTIFY_76(f, s, __VA_ARGS__) __DEBRACKET s f(76, __VA_ARGS__)
#define KMEM_LISTIFY_78(f, s, ...) KMEM_LISTIFY_77(f, s, __VA_ARGS__) __DEBRACKET s f(77, __VA_ARGS__)
#define KMEM_LISTIFY_79(f, s, ...) KMEM_LISTIFY_78(f, s, __VA_ARGS__) __DEBRACKET s f(78, __VA_ARGS__)
#define KMEM_LISTIFY_80(f, s, ...) KMEM_LISTIFY_79(f, s, __VA_ARGS__) __DEBRACKET s f(79, __VA_ARGS__)
#define KMEM_LISTIFY_81(f, s, ...) KMEM_LISTIFY_80(f, s, __VA_ARGS__) __DEBRACKET s f(80, __VA_ARGS__)
#define KMEM_LISTIFY_82(f, s, ...) KMEM_LISTIFY_81(f, s, __VA_ARGS__) __DEBRACKET s f(81, __VA_ARGS__)
#define KMEM_LISTIFY_83(f, s, ...) KMEM_LISTIFY_82(f, s, __VA_ARGS__) __DEBRACKET s f(82, __VA_ARGS__)
#define KMEM_LISTIFY_84(f, s, ...) KMEM_LISTIFY_83(f, s, __VA_ARGS__) __DEBRACKET s f(83, __VA_ARGS__)
#define KMEM_LISTIFY_85(f, s, ...) KMEM_LISTIFY_84(f, s, __VA_ARGS__) __DEBRACKET s f(84, __VA_ARGS__)
#define KMEM_LISTIFY_86(f, s, ...) KMEM_LISTIFY_85(f, s, __VA_ARGS__) __DEBRACKET s f(85, __VA_ARGS__)
#define KMEM_LISTIFY_87(f, s, ...) KMEM_LISTIFY_86(f, s, __VA_ARGS__) __DEBRACKET s f(86, __VA_ARGS__)
#define KMEM_LISTIFY_88(f, s, ...) KMEM_LISTIFY_87(f, s, __VA_ARGS__) __DEBRACKET s f(87, __VA_ARGS__)
#define KMEM_LISTIFY_89(f, s, ...) KMEM_LISTIFY_88(f, s, __VA_ARGS__) __DEBRACKET s f(88, __VA_ARGS__)
#define KMEM_LISTIFY_90(f, s, ...) KMEM_LISTIFY_89(f, s, __VA_ARGS__) __DEBRACKET s f(89, __VA_ARGS__)
#define KMEM_LISTIFY_91(f, s, ...) KMEM_LISTIFY_90(f, s, __VA_ARGS__) __DEBRACKET s f(90, __VA_ARGS__)
#define KMEM_LISTIFY_92(f, s, ...) KMEM_LISTIFY_91(f, s, __VA_ARGS__) __DEBRACKET s f(91, __VA_ARGS__)
#define KMEM_LISTIFY_93(f, s, ...) KMEM_LISTIFY_92(f, s, __VA_ARGS__) __DEBRACKET s f(92, __VA_ARGS__)
#define KMEM_LISTIFY_94(f, s, ...) KMEM_LISTIFY_93(f, s, __VA_ARGS__) __DEBRACKET s f(93, __VA_ARGS__)
#define KMEM_LISTIFY_95(f, s, ...) KMEM_LISTIFY_94(f, s, __VA_ARGS__) __DEBRACKET s f(94, __VA_ARGS__)
#define KMEM_LISTIFY_96(f, s, ...) KMEM_LISTIFY_95(f, s, __VA_ARGS__) __DEBRACKET s f(95, __VA_ARGS__)
#define KMEM_LISTIFY_97(f, s, ...) KMEM_LISTIFY_96(f, s, __VA_ARGS__) __DEBRACKET s f(96, __VA_ARGS__)
#define KMEM_LISTIFY_98(f, s, ...) KMEM_LISTIFY_97(f, s, __VA_ARGS__) __DEBRACKET s f(97, __VA_ARGS__)
#define KMEM_LISTIFY_99(f, s, ...) KMEM_LISTIFY_98(f, s, __VA_ARGS__) __DEBRACKET s f(98, __VA_ARGS__)
#define KMEM_LISTIFY_100(f, s, ...) KMEM_LISTIFY_99(f, s, __VA_ARGS__) __DEBRACKET s f(99, __VA_ARGS__)
#define KMEM_LISTIFY_101(f, s, ...) KMEM_LISTIFY_100(f, s, __VA_ARGS__) __DEBRACKET s f(100, __VA_ARGS__)
#define KMEM_LISTIFY_102(f, s, ...) KMEM_LISTIFY_101(f, s, __VA_ARGS__) __DEBRACKET s f(101, __VA_ARGS__)
#define KMEM_LISTIFY_103(f, s, ...) KMEM_LISTIFY_102(f, s, __VA_ARGS__) __DEBRACKET s f(102, __VA_ARGS__)
#define KMEM_LISTIFY_104(f, s, ...) KMEM_LISTIFY_103(f, s, __VA_ARGS__) __DEBRACKET s f(103, __VA_ARGS__)
#define KMEM_LISTIFY_105(f, s, ...) KMEM_LISTIFY_104(f, s, __VA_ARGS__) __DEBRACKET s f(104, __VA_ARGS__)
#define KMEM_LISTIFY_106(f, s, ...) KMEM_LISTIFY_105(f, s, __VA_ARGS__) __DEBRACKET s f(105, __VA_ARGS__)
#define KMEM_LISTIFY_107(f, s, ...) KMEM_LISTIFY_106(f, s, __VA_ARGS__) __DEBRACKET s f(106, __VA_ARGS__)
#define KMEM_LISTIFY_108(f, s, ...) KMEM_LISTIFY_107(f, s, __VA_ARGS__) __DEBRACKET s f(107, __VA_ARGS__)
#define KMEM_LISTIFY_109(f, s, ...) KMEM_LISTIFY_108(f, s, __VA_ARGS__) __DEBRACKET s f(108, __VA_ARGS__)
#define KMEM_LISTIFY_110(f, s, ...) KMEM_LISTIFY_109(f, s, __VA_ARGS__) __DEBRACKET s f(109, __VA_ARGS__)
#define KMEM_LISTIFY_111(f, s, ...) KMEM_LISTIFY_110(f, s, __VA_ARGS__) __DEBRACKET s f(110, __VA_ARGS__)
#define KMEM_LISTIFY_112(f, s, ...) KMEM_LISTIFY_111(f, s, __VA_ARGS__) __DEBRACKET s f(111, __VA_ARGS__)
#define KMEM_LISTIFY_113(f, s, ...) KMEM_LISTIFY_112(f, s, __VA_ARGS__) __DEBRACKET s f(112, __VA_ARGS__)
#define KMEM_LISTIFY_114(f, s, ...) KMEM_LISTIFY_113(f, s, __VA_ARGS__) __DEBRACKET s f(113, __VA_ARGS__)
#define KMEM_LISTIFY_115(f, s, ...) KMEM_LISTIFY_114(f, s, __VA_ARGS__) __DEBRACKET s f(114, __VA_ARGS__)
#define KMEM_LISTIFY_116(f, s, ...) KMEM_LISTIFY_115(f, s, __VA_ARGS__) __DEBRACKET s f(115, __VA_ARGS__)
#define KMEM_LISTIFY_117(f, s, ...) KMEM_LISTIFY_116(f, s, __VA_ARGS__) __DEBRACKET s f(116, __VA_ARGS__)
#define KMEM_LISTIFY_118(f, s, ...) KMEM_LISTIFY_117(f, s, __VA_ARGS__) __DEBRACKET s f(117, __VA_ARGS__)
#define KMEM_LISTIFY_119(f, s, ...) KMEM_LISTIFY_118(f, s, __VA_ARGS__) __DEBRACKET s f(118, __VA_ARGS__)
#define KMEM_LISTIFY_120(f, s, ...) KMEM_LISTIFY_119(f, s, __VA_ARGS__) __DEBRACKET s f(119, __VA_ARGS__)
#define KMEM_LISTIFY_121(f, s, ...) KMEM_LISTIFY_120(f, s, __VA_ARGS__) __DEBRACKET s f(120, __VA_ARGS__)
#define KMEM_LISTIFY_122(f, s, ...) KMEM_LISTIFY_121(f, s, __VA_ARGS__) __DEBRACKET s f(121, __VA_ARGS__)
#define KMEM_LISTIFY_123(f, s, ...) KMEM_LISTIFY_122(f, s, __VA_ARGS__) __DEBRACKET s f(122, __VA_ARGS__)
#define KMEM_LISTIFY_124(f, s, ...) KMEM_LISTIFY_123(f, s, __VA_ARGS__) __DEBRACKET s f(123, __VA_ARGS__)
#define KMEM_LISTIFY_125(f, s, ...) KMEM_LISTIFY_124(f, s, __VA_ARGS__) __DEBRACKET s f(124, __VA_ARGS__)
#define KMEM_LISTIFY_126(f, s, ...) KMEM_LISTIFY_125(f, s, __VA_ARGS__) __DEBRACKET s f(125, __VA_ARGS__)
#define KMEM_LISTIFY_127(f, s, ...) KMEM_LISTIFY_126(f, s, __VA_ARGS__) __DEBRACKET s f(126, __VA_ARGS__)
#define KMEM_LISTIFY_128(f, s, ...) KMEM_LISTIFY_127(f, s, __VA_ARGS__) __DEBRACKET s f(127, __VA_ARGS__)
#define KMEM_LISTIFY_129(f, s, ...) KMEM_LISTIFY_128(f, s, __VA_ARGS__) __DEBRACKET s f(128, __VA_ARGS__)
#define KMEM_LISTIFY_130(f, s, ...) KMEM_LISTIFY_129(f, s, __VA_ARGS__) __DEBRACKET s f(129, __VA_ARGS__)
#define KMEM_LISTIFY_131(f, s, ...) KMEM_LISTIFY_130(f, s, __VA_ARGS__) __DEBRACKET s f(130, __VA_ARGS__)
#define KMEM_LISTIFY_132(f, s, ...) KMEM_LISTIFY_131(f, s, __VA_ARGS__) __DEBRACKET s f(131, __VA_ARGS__)
#define KMEM_LISTIFY_133(f, s, ...) KMEM_LISTIFY_132(f, s, __VA_ARGS__) __DEBRACKET s f(132, __VA_ARGS__)
#define KMEM_LISTIFY_134(f, s, ...) KMEM_LISTIFY_133(f, s, __VA_ARGS__) __DEBRACKET s f(133, __VA_ARGS__)
#define KMEM_LISTIFY_135(f, s, ...) KMEM_LISTIFY_134(f, s, __VA_ARGS__) __DEBRACKET s f(134, __VA_ARGS__)
#define KMEM_LISTIFY_136(f, s, ...) KMEM_LISTIFY_135(f, s, __VA_ARGS__) __DEBRACKET s f(135, __VA_ARGS__)
#define KMEM_LISTIFY_137(f, s, ...) KMEM_LISTIFY_136(f, s, __VA_ARGS__) __DEBRACKET s f(136, __VA_ARGS__)
#define KMEM_LISTIFY_138(f, s, ...) KMEM_LISTIFY_137(f, s, __VA_ARGS__) __DEBRACKET s f(137, __VA_ARGS__)
#define KMEM_LISTIFY_139(f, s, ...) KMEM_LISTIFY_138(f, s, __VA_ARGS__) __DEBRACKET s f(138, __VA_ARGS__)
#define KMEM_LISTIFY_140(f, s, ...) KMEM_LISTIFY_139(f, s, __VA_ARGS__) __DEBRACKET s f(139, __VA_ARGS__)
#define KMEM_LISTIFY_141(f, s, ...) KMEM_LISTIFY_140(f, s, __VA_ARGS__) __DEBRACKET s f(140, __VA_ARGS__)
#define KMEM_LISTIFY_142(f, s, ...) KMEM_LISTIFY_141(f, s, __VA_ARGS__) __DEBRACKET s f(141, __VA_ARGS__)
#define KMEM_LISTIFY_143(f, s, ...) KMEM_LISTIFY_142(f, s, __VA_ARGS__) __DEBRACKET s f(142, __VA_ARGS__)
#define KMEM_LISTIFY_144(f, s, ...) KMEM_LISTIFY_143(f, s, __VA_ARGS__) __DEBRACKET s f(143, __VA_ARGS__)
#define KMEM_LISTIFY_145(f, s, ...) KMEM_LISTIFY_144(f, s, __VA_ARGS__) __DEBRACKET s f(144, __VA_ARGS__)
#define KMEM_LISTIFY_146(f, s, ...) KMEM_LISTIFY_145(f, s, __VA_ARGS__) __DEBRACKET s f(145, __VA_ARGS__)
#define KMEM_LISTIFY_147(f, s, ...) KMEM_LISTIFY_146(f, s, __VA_ARGS__) __DEBRACKET s f(146, __VA_ARGS__)
#define KMEM_LISTIFY_148(f, s, ...) KMEM_LISTIFY_147(f, s, __VA_ARGS__) __DEBRACKET s f(147, __VA_ARGS__)
#define KMEM_LISTIFY_149(f, s, ...) KMEM_LISTIFY_148(f, s, __VA_ARGS__) __DEBRACKET s f(148, __VA_ARGS__)
#define KMEM_LISTIFY_150(f, s, ...) KMEM_LISTIFY_149(f, s, __VA_ARGS__) __DEBRACKET s f(149, __VA_ARGS__)
#define KMEM_LISTIFY_151(f, s, ...) KMEM_LISTIFY_150(f, s, __VA_ARGS__) __DEBRACKET s f(150, __VA_ARGS__)
#define KMEM_LISTIFY_152(f, s, ...) KMEM_LISTIFY_151(f, s, __VA_ARGS__) __DEBRACKET s f(151, __VA_ARGS__)
#define KMEM_LISTIFY_153(f, s, ...) KMEM_LISTIFY_152(f, s, __VA_ARGS__) __DEBRACKET s f(152, __VA_ARGS__)
#define KMEM_LISTIFY_154(f, s, ...) KMEM_LISTIFY_153(f, s, __VA_ARGS__) __DEBRACKET s f(153, __VA_ARGS__)
#define KMEM_LISTIFY_155(f, s, ...) KMEM_LISTIFY_154(f, s, __VA_ARGS__) __DEBRACKET s f(154, __VA_ARGS__)
#define KMEM_LISTIFY_156(f, s, ...) KMEM_LISTIFY_155(f, s, __VA_ARGS__) __DEBRACKET s f(155, __VA_ARGS__)
#define KMEM_LISTIFY_157(f, s, ...) KMEM_LISTIFY_156(f, s, __VA_ARGS__) __DEBRACKET s f(156, __VA_ARGS__)
#define KMEM_LISTIFY_158(f, s, ...) KMEM_LISTIFY_157(f, s, __VA_ARGS__) __DEBRACKET s f(157, __VA_ARGS__)
#define KMEM_LISTIFY_159(f, s, ...) KMEM_LISTIFY_158(f, s, __VA_ARGS__) __DEBRACKET s f(158, __VA_ARGS__)
#define KMEM_LISTIFY_160(f, s, ...) KMEM_LISTIFY_159(f, s, __VA_ARGS__) __DEBRACKET s f(159, __VA_ARGS__)
#define KMEM_LISTIFY_161(f, s, ...) KMEM_LISTIFY_160(f, s, __VA_ARGS__) __DEBRACKET s f(160, __VA_ARGS__)
#define KMEM_LISTIFY_162(f, s, ...) KMEM_LISTIFY_161(f, s, __VA_ARGS__) __DEBRACKET s f(161, __VA_ARGS__)
#define KMEM_LISTIFY_163(f, s, ...) KMEM_LISTIFY_162(f, s, __VA_ARGS__) __DEBRACKET s f(162, __VA_ARGS__)
#define KMEM_LISTIFY_164(f, s, ...) KMEM_LISTIFY_163(f, s, __VA_ARGS__) __DEBRACKET s f(163, __VA_ARGS__)
#define KMEM_LISTIFY_165(f, s, ...) KMEM_LISTIFY_164(f, s, __VA_ARGS__) __DEBRACKET s f(164, __VA_ARGS__)
#define KMEM_LISTIFY_166(f, s, ...) KMEM_LISTIFY_165(f, s, __VA_ARGS__) __DEBRACKET s f(165, __VA_ARGS__)
#define KMEM_LISTIFY_167(f, s, ...) KMEM_LISTIFY_166(f, s, __VA_ARGS__) __DEBRACKET s f(166, __VA_ARGS__)
#define KMEM_LISTIFY_168(f, s, ...) KMEM_LISTIFY_167(f, s, __VA_ARGS__) __DEBRACKET s f(167, __VA_ARGS__)
#define KMEM_LISTIFY_169(f, s, ...) KMEM_LISTIFY_168(f, s, __VA_ARGS__) __DEBRACKET s f(168, __VA_ARGS__)
#define KMEM_LISTIFY_170(f, s, ...) KMEM_LISTIFY_169(f, s, __VA_ARGS__) __DEBRACKET s f(169, __VA_ARGS__)
#define KMEM_LISTIFY_171(f, s, ...) KMEM_LISTIFY_170(f, s, __VA_ARGS__) __DEBRACKET s f(170, __VA_ARGS__)
#define KMEM_LISTIFY_172(f, s, ...) KMEM_LISTIFY_171(f, s, __VA_ARGS__) __DEBRACKET s f(171, __VA_ARGS__)
#define KMEM_LISTIFY_173(f, s, ...) KMEM_LISTIFY_172(f, s, __VA_ARGS__) __DEBRACKET s f(172, __VA_ARGS__)
#define KMEM_LISTIFY_174(f, s, ...) KMEM_LISTIFY_173(f, s, __VA_ARGS__) __DEBRACKET s f(173, __VA_ARGS__)
#define KMEM_LISTIFY_175(f, s, ...) KMEM_LISTIFY_174(f, s, __VA_ARGS__) __DEBRACKET s f(174, __VA_ARGS__)
#define KMEM_LISTIFY_176(f, s, ...) KMEM_LISTIFY_175(f, s, __VA_ARGS__) __DEBRACKET s f(175, __VA_ARGS__)
#define KMEM_LISTIFY_177(f, s, ...) KMEM_LISTIFY_176(f, s, __VA_ARGS__) __DEBRACKET s f(176, __VA_ARGS__)
#define KMEM_LISTIFY_178(f, s, ...) KMEM_LISTIFY_177(f, s, __VA_ARGS__) __DEBRACKET s f(177, __VA_ARGS__)
#define KMEM_LISTIFY_179(f, s, ...) KMEM_LISTIFY_178(f, s, __VA_ARGS__) __DEBRACKET s f(178, __VA_ARGS__)
#define KMEM_LISTIFY_180(f, s, ...) KMEM_LISTIFY_179(f, s, __VA_ARGS__) __DEBRACKET s f(179, __VA_ARGS__)
#define KMEM_LISTIFY_181(f, s, ...) KMEM_LISTIFY_180(f, s, __VA_ARGS__) __DEBRACKET s f(180, __VA_ARGS__)
#define KMEM_LISTIFY_182(f, s, ...) KMEM_LISTIFY_181(f, s, __VA_ARGS__) __DEBRACKET s f(181, __VA_ARGS__)
#define KMEM_LISTIFY_183(f, s, ...) KMEM_LISTIFY_182(f, s, __VA_ARGS__) __DEBRACKET s f(182, __VA_ARGS__)
#define KMEM_LISTIFY_184(f, s, ...) KMEM_LISTIFY_183(f, s, __VA_ARGS__) __DEBRACKET s f(183, __VA_ARGS__)
#define KMEM_LISTIFY_185(f, s, ...) KMEM_LISTIFY_184(f, s, __VA_ARGS__) __DEBRACKET s f(184, __VA_ARGS__)
#define KMEM_LISTIFY_186(f, s, ...) KMEM_LISTIFY_185(f, s, __VA_ARGS__) __DEBRACKET s f(185, __VA_ARGS__)
#define KMEM_LISTIFY_187(f, s, ...) KMEM_LISTIFY_186(f, s, __VA_ARGS__) __DEBRACKET s f(186, __VA_ARGS__)
#define KMEM_LISTIFY_188(f, s, ...) KMEM_LISTIFY_187(f, s, __VA_ARGS__) __DEBRACKET s f(187, __VA_ARGS__)
#define KMEM_LISTIFY_189(f, s, ...) KMEM_LISTIFY_188(f, s, __VA_ARGS__) __DEBRACKET s f(188, __VA_ARGS__)
#define KMEM_LISTIFY_190(f, s, ...) KMEM_LISTIFY_189(f, s, __VA_ARGS__) __DEBRACKET s f(189, __VA_ARGS__)
#define KMEM_LISTIFY_191(f, s, ...) KMEM_LISTIFY_190(f, s, __VA_ARGS__) __DEBRACKET s f(190, __VA_ARGS__)
#define KMEM_LISTIFY_192(f, s, ...) KMEM_LISTIFY_191(f, s, __VA_ARGS__) __DEBRACKET s f(191, __VA_ARGS__)
#define KMEM_LISTIFY_193(f, s, ...) KMEM_LISTIFY_192(f, s, __VA_ARGS__) __DEBRACKET s f(192, __VA_ARGS__)
#define KMEM_LISTIFY_194(f, s, ...) KMEM_LISTIFY_193(f, s, __VA_ARGS__) __DEBRACKET s f(193, __VA_ARGS__)
#define KMEM_LISTIFY_195(f, s, ...) KMEM_LISTIFY_194(f, s, __VA_ARGS__) __DEBRACKET s f(194, __VA_ARGS__)
#define KMEM_LISTIFY_196(f, s, ...) KMEM_LISTIFY_195(f, s, __VA_ARGS__) __DEBRACKET s f(195, __VA_ARGS__)
#define KMEM_LISTIFY_197(f, s, ...) KMEM_LISTIFY_196(f, s, __VA_ARGS__) __DEBRACKET s f(196, __VA_ARGS__)
#define KMEM_LISTIFY_198(f, s, ...) KMEM_LISTIFY_197(f, s, __VA_ARGS__) __DEBRACKET s f(197, __VA_ARGS__)
#define KMEM_LISTIFY_199(f, s, ...) KMEM_LISTIFY_198(f, s, __VA_ARGS__) __DEBRACKET s f(198, __VA_ARGS__)
#define KMEM_LISTIFY_200(f, s, ...) KMEM_LISTIFY_199(f, s, __VA_ARGS__) __DEBRACKET s f(199, __VA_ARGS__)
#define KMEM_LISTIFY_201(f, s, ...) KMEM_LISTIFY_200(f, s, __VA_ARGS__) __DEBRACKET s f(200, __VA_ARGS__)
#define KMEM_LISTIFY_202(f, s, ...) KMEM_LISTIFY_201(f, s, __VA_ARGS__) __DEBRACKET s f(201, __VA_ARGS__)
#define KMEM_LISTIFY_203(f, s, ...) KMEM_LISTIFY_202(f, s, __VA_ARGS__) __DEBRACKET s f(202, __VA_ARGS__)
#define KMEM_LISTIFY_204(f, s, ...) KMEM_LISTIFY_203(f, s, __VA_ARGS__) __DEBRACKET s f(203, __VA_ARGS__)
#define KMEM_LISTIFY_205(f, s, ...) KMEM_LISTIFY_204(f, s, __VA_ARGS__) __DEBRACKET s f(204, __VA_ARGS__)
#define KMEM_LISTIFY_206(f, s, ...) KMEM_LISTIFY_205(f, s, __VA_ARGS__) __DEBRACKET s f(205, __VA_ARGS__)
#define KMEM_LISTIFY_207(f, s, ...) KMEM_LISTIFY_206(f, s, __VA_ARGS__) __DEBRACKET s f(206, __VA_ARGS__)
#define KMEM_LISTIFY_208(f, s, ...) KMEM_LISTIFY_207(f, s, __VA_ARGS__) __DEBRACKET s f(207, __VA_ARGS__)
#define KMEM_LISTIFY_209(f, s, ...) KMEM_LISTIFY_208(f, s, __VA_ARGS__) __DEBRACKET s f(208, __VA_ARGS__)
#define KMEM_LISTIFY_210(f, s, ...) KMEM_LISTIFY_209(f, s, __VA_ARGS__) __DEBRACKET s f(209, __VA_ARGS__)
#define KMEM_LISTIFY_211(f, s, ...) KMEM_LISTIFY_210(f, s, __VA_ARGS__) __DEBRACKET s f(210, __VA_ARGS__)
#define KMEM_LISTIFY_212(f, s, ...) KMEM_LISTIFY_211(f, s, __VA_ARGS__) __DEBRACKET s f(211, __VA_ARGS__)
#define KMEM_LISTIFY_213(f, s, ...) KMEM_LISTIFY_212(f, s, __VA_ARGS__) __DEBRACKET s f(212, __VA_ARGS__)
#define KMEM_LISTIFY_214(f, s, ...) KMEM_LISTIFY_213(f, s, __VA_ARGS__) __DEBRACKET s f(213, __VA_ARGS__)
#define KMEM_LISTIFY_215(f, s, ...) KMEM_LISTIFY_214(f, s, __VA_ARGS__) __DEBRACKET s f(214, __VA_ARGS__)
#define KMEM_LISTIFY_216(f, s, ...) KMEM_LISTIFY_215(f, s, __VA_ARGS__) __DEBRACKET s f(215, __VA_ARGS__)
#define KMEM_LISTIFY_217(f, s, ...) KMEM_LISTIFY_216(f, s, __VA_ARGS__) __DEBRACKET s f(216, __VA_ARGS__)
#define KMEM_LISTIFY_218(f, s, ...) KMEM_LISTIFY_217(f, s, __VA_ARGS__) __DEBRACKET s f(217, __VA_ARGS__)
#define KMEM_LISTIFY_219(f, s, ...) KMEM_LISTIFY_218(f, s, __VA_ARGS__) __DEBRACKET s f(218, __VA_ARGS__)
#define KMEM_LISTIFY_220(f, s, ...) KMEM_LISTIFY_219(f, s, __VA_ARGS__) __DEBRACKET s f(219, __VA_ARGS__)
#define KMEM_LISTIFY_221(f, s, ...) KMEM_LISTIFY_220(f, s, __VA_ARGS__) __DEBRACKET s f(220, __VA_ARGS__)
#define KMEM_LISTIFY_222(f, s, ...) KMEM_LISTIFY_221(f, s, __VA_ARGS__) __DEBRACKET s f(221, __VA_ARGS__)
#define KMEM_LISTIFY_223(f, s, ...) KMEM_LISTIFY_222(f, s, __VA_ARGS__) __DEBRACKET s f(222, __VA_ARGS__)
#define KMEM_LISTIFY_224(f, s, ...) KMEM_LISTIFY_223(f, s, __VA_ARGS__) __DEBRACKET s f(223, __VA_ARGS__)
#define KMEM_LISTIFY_225(f, s, ...) KMEM_LISTIFY_224(f, s, __VA_ARGS__) __DEBRACKET s f(224, __VA_ARGS__)
#define KMEM_LISTIFY_226(f, s, ...) KMEM_LISTIFY_225(f, s, __VA_ARGS__) __DEBRACKET s f(225, __VA_ARGS__)
#define KMEM_LISTIFY_227(f, s, ...) KMEM_LISTIFY_226(f, s, __VA_ARGS__) __DEBRACKET s f(226, __VA_ARGS__)
#define KMEM_LISTIFY_228(f, s, ...) KMEM_LISTIFY_227(f, s, __VA_ARGS__) __DEBRACKET s f(227, __VA_ARGS__)
#define KMEM_LISTIFY_229(f, s, ...) KMEM_LISTIFY_228(f, s, __VA_ARGS__) __DEBRACKET s f(228, __VA_ARGS__)
#define KMEM_LISTIFY_230(f, s, ...) KMEM_LISTIFY_229(f, s, __VA_ARGS__) __DEBRACKET s f(229, __VA_ARGS__)
#define KMEM_LISTIFY_231(f, s, ...) KMEM_LISTIFY_230(f, s, __VA_ARGS__) __DEBRACKET s f(230, __VA_ARGS__)
#define KMEM_LISTIFY_232(f, s, ...) KMEM_LISTIFY_231(f, s, __VA_ARGS__) __DEBRACKET s f(231, __VA_ARGS__)
#define KMEM_LISTIFY_233(f, s, ...) KMEM_LISTIFY_232(f, s, __VA_ARGS__) __DEBRACKET s f(232, __VA_ARGS__)
#define KMEM_LISTIFY_234(f, s, ...) KMEM_LISTIFY_233(f, s, __VA_ARGS__) __DEBRACKET s f(233, __VA_ARGS__)
#define KMEM_LISTIFY_235(f, s, ...) KMEM_LISTIFY_234(f, s, __VA_ARGS__) __DEBRACKET s f(234, __VA_ARGS__)
#define KMEM_LISTIFY_236(f, s, ...) KMEM_LISTIFY_235(f, s, __VA_ARGS__) __DEBRACKET s f(235, __VA_ARGS__)
#define KMEM_LISTIFY_237(f, s, ...) KMEM_LISTIFY_236(f, s, __VA_ARGS__) __DEBRACKET s f(236, __VA_ARGS__)
#define KMEM_LISTIFY_238(f, s, ...) KMEM_LISTIFY_237(f, s, __VA_ARGS__) __DEBRACKET s f(237, __VA_ARGS__)
#define KMEM_LISTIFY_239(f, s, ...) KMEM_LISTIFY_238(f, s, __VA_ARGS__) __DEBRACKET s f(238, __VA_ARGS__)
#define KMEM_LISTIFY_240(f, s, ...) KMEM_LISTIFY_239(f, s, __VA_ARGS__) __DEBRACKET s f(239, __VA_ARGS__)
#define KMEM_LISTIFY_241(f, s, ...) KMEM_LISTIFY_240(f, s, __VA_ARGS__) __DEBRACKET s f(240, __VA_ARGS__)
#define KMEM_LISTIFY_242(f, s, ...) KMEM_LISTIFY_241(f, s, __VA_ARGS__) __DEBRACKET s f(241, __VA_ARGS__)
#define KMEM_LISTIFY_243(f, s, ...) KMEM_LISTIFY_242(f, s, __VA_ARGS__) __DEBRACKET s f(242, __VA_ARGS__)
#define KMEM_LISTIFY_244(f, s, ...) KMEM_LISTIFY_243(f, s, __VA_ARGS__) __DEBRACKET s f(243, __VA_ARGS__)
#define KMEM_LISTIFY_245(f, s, ...) KMEM_LISTIFY_244(f, s, __VA_ARGS__) __DEBRACKET s f(244, __VA_ARGS__)
#define KMEM_LISTIFY_246(f, s, ...) KMEM_LISTIFY_245(f, s, __VA_ARGS__) __DEBRACKET s f(245, __VA_ARGS__)
#define KMEM_LISTIFY_247(f, s, ...) KMEM_LISTIFY_246(f, s, __VA_ARGS__) __DEBRACKET s f(246, __VA_ARGS__)
#define KMEM_LISTIFY_248(f, s, ...) KMEM_LISTIFY_247(f, s, __VA_ARGS__) __DEBRACKET s f(247, __VA_ARGS__)
#define KMEM_LISTIFY_249(f, s, ...) KMEM_LISTIFY_248(f, s, __VA_ARGS__) __DEBRACKET s f(248, __VA_ARGS__)
#define KMEM_LISTIFY_250(f, s, ...) KMEM_LISTIFY_249(f, s, __VA_ARGS__) __DEBRACKET s f(249, __VA_ARGS__)
#define KMEM_LISTIFY_251(f, s, ...) KMEM_LISTIFY_250(f, s, __VA_ARGS__) __DEBRACKET s f(250, __VA_ARGS__)
#define KMEM_LISTIFY_252(f, s, ...) KMEM_LISTIFY_251(f, s, __VA_ARGS__) __DEBRACKET s f(251, __VA_ARGS__)
#define KMEM_LISTIFY_253(f, s, ...) KMEM_LISTIFY_252(f, s, __VA_ARGS__) __DEBRACKET s f(252, __VA_ARGS__)
#define KMEM_LISTIFY_254(f, s, ...) KMEM_LISTIFY_253(f, s, __VA_ARGS__) __DEBRACKET s f(253, __VA_ARGS__)
#define KMEM_LISTIFY_255(f, s, ...) KMEM_LISTIFY_254(f, s, __VA_ARGS__) __DEBRACKET s f(254, __VA_ARGS__)
#define KMEM_LISTIFY_256(f, s, ...) KMEM_LISTIFY_255(f, s, __VA_ARGS__) __DEBRACKET s f(255, __VA_ARGS__)

/* c(f, index, x, k) of each x, with separators s, see FOR_EACH(). The index begins as given and grows by 1. */
#define KMEM_MAP_0(c, f, s, k, i, ...)
#define KMEM_MAP_1(c, f, s, k, i, x) c(f, i, x, k)
#define KMEM_MAP_2(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_1(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_3(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_2(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_4(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_3(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_5(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_4(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_6(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_5(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_7(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_6(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_8(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_7(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_9(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_8(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_10(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_9(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_11(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_10(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_12(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_11(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_13(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_12(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_14(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_13(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_15(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_14(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_16(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_15(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_17(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_16(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_18(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_17(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_19(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_18(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_20(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_19(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_21(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_20(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_22(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_21(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_23(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_22(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_24(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_23(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_25(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_24(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_26(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_25(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_27(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_26(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_28(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_27(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_29(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_28(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_30(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_29(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_31(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_30(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_32(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_31(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_33(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_32(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_34(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_33(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_35(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_34(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_36(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_35(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_37(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_36(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_38(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_37(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_39(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_38(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_40(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_39(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_41(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_40(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_42(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_41(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_43(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_42(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_44(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_43(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_45(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_44(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_46(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_45(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_47(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_46(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_48(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_47(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_49(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_48(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_50(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_49(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_51(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_50(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_52(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_51(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_53(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_52(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_54(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_53(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_55(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_54(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_56(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_55(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_57(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_56(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_58(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_57(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_59(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_58(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_60(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_59(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_61(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_60(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_62(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_61(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_63(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_62(c, f, s, k, KMEM_UP(i), __VA_ARGS__)
#define KMEM_MAP_64(c, f, s, k, i, x, ...) c(f, i, x, k) __DEBRACKET s KMEM_MAP_63(c, f, s, k, KMEM_UP(i), __VA_ARGS__)

/* The arguments in reverse, see REVERSE_ARGS(). */
#define KMEM_REVERSE_0(...)
#define KMEM_REVERSE_1(x) x
#define KMEM_REVERSE_2(x, ...) KMEM_REVERSE_1(__VA_ARGS__), x
#define KMEM_REVERSE_3(x, ...) KMEM_REVERSE_2(__VA_ARGS__), x
#define KMEM_REVERSE_4(x, ...) KMEM_REVERSE_3(__VA_ARGS__), x
#define KMEM_REVERSE_5(x, ...) KMEM_REVERSE_4(__VA_ARGS__), x
#define KMEM_REVERSE_6(x, ...) KMEM_REVERSE_5(__VA_ARGS__), x
#define KMEM_REVERSE_7(x, ...) KMEM_REVERSE_6(__VA_ARGS__), x
#define KMEM_REVERSE_8(x, ...) KMEM_REVERSE_7(__VA_ARGS__), x
#define KMEM_REVERSE_9(x, ...) KMEM_REVERSE_8(__VA_ARGS__), x
#define KMEM_REVERSE_10(x, ...) KMEM_REVERSE_9(__VA_ARGS__), x
#define KMEM_REVERSE_11(x, ...) KMEM_REVERSE_10(__VA_ARGS__), x
#define KMEM_REVERSE_12(x, ...) KMEM_REVERSE_11(__VA_ARGS__), x
#define KMEM_REVERSE_13(x, ...) KMEM_REVERSE_12(__VA_ARGS__), x
#define KMEM_REVERSE_14(x, ...) KMEM_REVERSE_13(__VA_ARGS__), x
#define KMEM_REVERSE_15(x, ...) KMEM_REVERSE_14(__VA_ARGS__), x
#define KMEM_REVERSE_16(x, ...) KMEM_REVERSE_15(__VA_ARGS__), x
#define KMEM_REVERSE_17(x, ...) KMEM_REVERSE_16(__VA_ARGS__), x
#define KMEM_REVERSE_18(x, ...) KMEM_REVERSE_17(__VA_ARGS__), x
#define KMEM_REVERSE_19(x, ...) KMEM_REVERSE_18(__VA_ARGS__), x
#define KMEM_REVERSE_20(x, ...) KMEM_REVERSE_19(__VA_ARGS__), x
#define KMEM_REVERSE_21(x, ...) KMEM_REVERSE_20(__VA_ARGS__), x
#define KMEM_REVERSE_22(x, ...) KMEM_REVERSE_21(__VA_ARGS__), x
#define KMEM_REVERSE_23(x, ...) KMEM_REVERSE_22(__VA_ARGS__), x
#define KMEM_REVERSE_24(x, ...) KMEM_REVERSE_23(__VA_ARGS__), x
#define KMEM_REVERSE_25(x, ...) KMEM_REVERSE_24(__VA_ARGS__), x
#define KMEM_REVERSE_26(x, ...) KMEM_REVERSE_25(__VA_ARGS__), x
#define KMEM_REVERSE_27(x, ...) KMEM_REVERSE_26(__VA_ARGS__), x
#define KMEM_REVERSE_28(x, ...) KMEM_REVERSE_27(__VA_ARGS__), x
#define KMEM_REVERSE_29(x, ...) KMEM_REVERSE_28(__VA_ARGS__), x
#define KMEM_REVERSE_30(x, ...) KMEM_REVERSE_29(__VA_ARGS__), x
#define KMEM_REVERSE_31(x, ...) KMEM_REVERSE_30(__VA_ARGS__), x
#define KMEM_REVERSE_32(x, ...) KMEM_REVERSE_31(__VA_ARGS__), x
#define KMEM_REVERSE_33(x, ...) KMEM_REVERSE_32(__VA_ARGS__), x
#define KMEM_REVERSE_34(x, ...) KMEM_REVERSE_33(__VA_ARGS__), x
#define KMEM_REVERSE_35(x, ...) KMEM_REVERSE_34(__VA_ARGS__), x
#define KMEM_REVERSE_36(x, ...) KMEM_REVERSE_35(__VA_ARGS__), x
#define KMEM_REVERSE_37(x, ...) KMEM_REVERSE_36(__VA_ARGS__), x
#define KMEM_REVERSE_38(x, ...) KMEM_REVERSE_37(__VA_ARGS__), x
#define KMEM_REVERSE_39(x, ...) KMEM_REVERSE_38(__VA_ARGS__), x
#define KMEM_REVERSE_40(x, ...) KMEM_REVERSE_39(__VA_ARGS__), x
#define KMEM_REVERSE_41(x, ...) KMEM_REVERSE_40(__VA_ARGS__), x
#define KMEM_REVERSE_42(x, ...) KMEM_REVERSE_41(__VA_ARGS__), x
#define KMEM_REVERSE_43(x, ...) KMEM_REVERSE_42(__VA_ARGS__), x
#define KMEM_REVERSE_44(x, ...) KMEM_REVERSE_43(__VA_ARGS__), x
#define KMEM_REVERSE_45(x, ...) KMEM_REVERSE_44(__VA_ARGS__), x
#define KMEM_REVERSE_46(x, ...) KMEM_REVERSE_45(__VA_ARGS__), x
#define KMEM_REVERSE_47(x, ...) KMEM_REVERSE_46(__VA_ARGS__), x
#define KMEM_REVERSE_48(x, ...) KMEM_REVERSE_47(__VA_ARGS__), x
#define KMEM_REVERSE_49(x, ...) KMEM_REVERSE_48(__VA_ARGS__), x
#define KMEM_REVERSE_50(x, ...) KMEM_REVERSE_49(__VA_ARGS__), x
#define KMEM_REVERSE_51(x, ...) KMEM_REVERSE_50(__VA_ARGS__), x
#define KMEM_REVERSE_52(x, ...) KMEM_REVERSE_51(__VA_ARGS__), x
#define KMEM_REVERSE_53(x, ...) KMEM_REVERSE_52(__VA_ARGS__), x
#define KMEM_REVERSE_54(x, ...) KMEM_REVERSE_53(__VA_ARGS__), x
#define KMEM_REVERSE_55(x, ...) KMEM_REVERSE_54(__VA_ARGS__), x
#define KMEM_REVERSE_56(x, ...) KMEM_REVERSE_55(__VA_ARGS__), x
#define KMEM_REVERSE_57(x, ...) KMEM_REVERSE_56(__VA_ARGS__), x
#define KMEM_REVERSE_58(x, ...) KMEM_REVERSE_57(__VA_ARGS__), x
#define KMEM_REVERSE_59(x, ...) KMEM_REVERSE_58(__VA_ARGS__), x
#define KMEM_REVERSE_60(x, ...) KMEM_REVERSE_59(__VA_ARGS__), x
#define KMEM_REVERSE_61(x, ...) KMEM_REVERSE_60(__VA_ARGS__), x
#define KMEM_REVERSE_62(x, ...) KMEM_REVERSE_61(__VA_ARGS__), x
#define KMEM_REVERSE_63(x, ...) KMEM_REVERSE_62(__VA_ARGS__), x
#define KMEM_REVERSE_64(x, ...) KMEM_REVERSE_63(__VA_ARGS__), x

/* What stands at place n, counted from 1, and all that follows it. */
#define KMEM_FROM_1(...) __VA_ARGS__
#define KMEM_FROM_2(x, ...) KMEM_FROM_1(__VA_ARGS__)
#define KMEM_FROM_3(x, ...) KMEM_FROM_2(__VA_ARGS__)
#define KMEM_FROM_4(x, ...) KMEM_FROM_3(__VA_ARGS__)
#define KMEM_FROM_5(x, ...) KMEM_FROM_4(__VA_ARGS__)
#define KMEM_FROM_6(x, ...) KMEM_FROM_5(__VA_ARGS__)
#define KMEM_FROM_7(x, ...) KMEM_FROM_6(__VA_ARGS__)
#define KMEM_FROM_8(x, ...) KMEM_FROM_7(__VA_ARGS__)
#define KMEM_FROM_9(x, ...) KMEM_FROM_8(__VA_ARGS__)
#define KMEM_FROM_10(x, ...) KMEM_FROM_9(__VA_ARGS__)
#define KMEM_FROM_11(x, ...) KMEM_FROM_10(__VA_ARGS__)
#define KMEM_FROM_12(x, ...) KMEM_FROM_11(__VA_ARGS__)
#define KMEM_FROM_13(x, ...) KMEM_FROM_12(__VA_ARGS__)
#define KMEM_FROM_14(x, ...) KMEM_FROM_13(__VA_ARGS__)
#define KMEM_FROM_15(x, ...) KMEM_FROM_14(__VA_ARGS__)
#define KMEM_FROM_16(x, ...) KMEM_FROM_15(__VA_ARGS__)
#define KMEM_FROM_17(x, ...) KMEM_FROM_16(__VA_ARGS__)
#define KMEM_FROM_18(x, ...) KMEM_FROM_17(__VA_ARGS__)
#define KMEM_FROM_19(x, ...) KMEM_FROM_18(__VA_ARGS__)
#define KMEM_FROM_20(x, ...) KMEM_FROM_19(__VA_ARGS__)
#define KMEM_FROM_21(x, ...) KMEM_FROM_20(__VA_ARGS__)
#define KMEM_FROM_22(x, ...) KMEM_FROM_21(__VA_ARGS__)
#define KMEM_FROM_23(x, ...) KMEM_FROM_22(__VA_ARGS__)
#define KMEM_FROM_24(x, ...) KMEM_FROM_23(__VA_ARGS__)
#define KMEM_FROM_25(x, ...) KMEM_FROM_24(__VA_ARGS__)
#define KMEM_FROM_26(x, ...) KMEM_FROM_25(__VA_ARGS__)
#define KMEM_FROM_27(x, ...) KMEM_FROM_26(__VA_ARGS__)
#define KMEM_FROM_28(x, ...) KMEM_FROM_27(__VA_ARGS__)
#define KMEM_FROM_29(x, ...) KMEM_FROM_28(__VA_ARGS__)
#define KMEM_FROM_30(x, ...) KMEM_FROM_29(__VA_ARGS__)
#define KMEM_FROM_31(x, ...) KMEM_FROM_30(__VA_ARGS__)
#define KMEM_FROM_32(x, ...) KMEM_FROM_31(__VA_ARGS__)
#define KMEM_FROM_33(x, ...) KMEM_FROM_32(__VA_ARGS__)
#define KMEM_FROM_34(x, ...) KMEM_FROM_33(__VA_ARGS__)
#define KMEM_FROM_35(x, ...) KMEM_FROM_34(__VA_ARGS__)
#define KMEM_FROM_36(x, ...) KMEM_FROM_35(__VA_ARGS__)
#define KMEM_FROM_37(x, ...) KMEM_FROM_36(__VA_ARGS__)
#define KMEM_FROM_38(x, ...) KMEM_FROM_37(__VA_ARGS__)
#define KMEM_FROM_39(x, ...) KMEM_FROM_38(__VA_ARGS__)
#define KMEM_FROM_40(x, ...) KMEM_FROM_39(__VA_ARGS__)
#define KMEM_FROM_41(x, ...) KMEM_FROM_40(__VA_ARGS__)
#define KMEM_FROM_42(x, ...) KMEM_FROM_41(__VA_ARGS__)
#define KMEM_FROM_43(x, ...) KMEM_FROM_42(__VA_ARGS__)
#define KMEM_FROM_44(x, ...) KMEM_FROM_43(__VA_ARGS__)
#define KMEM_FROM_45(x, ...) KMEM_FROM_44(__VA_ARGS__)
#define KMEM_FROM_46(x, ...) KMEM_FROM_45(__VA_ARGS__)
#define KMEM_FROM_47(x, ...) KMEM_FROM_46(__VA_ARGS__)
#define KMEM_FROM_48(x, ...) KMEM_FROM_47(__VA_ARGS__)
#define KMEM_FROM_49(x, ...) KMEM_FROM_48(__VA_ARGS__)
#define KMEM_FROM_50(x, ...) KMEM_FROM_49(__VA_ARGS__)
#define KMEM_FROM_51(x, ...) KMEM_FROM_50(__VA_ARGS__)
#define KMEM_FROM_52(x, ...) KMEM_FROM_51(__VA_ARGS__)
#define KMEM_FROM_53(x, ...) KMEM_FROM_52(__VA_ARGS__)
#define KMEM_FROM_54(x, ...) KMEM_FROM_53(__VA_ARGS__)
#define KMEM_FROM_55(x, ...) KMEM_FROM_54(__VA_ARGS__)
#define KMEM_FROM_56(x, ...) KMEM_FROM_55(__VA_ARGS__)
#define KMEM_FROM_57(x, ...) KMEM_FROM_56(__VA_ARGS__)
#define KMEM_FROM_58(x, ...) KMEM_FROM_57(__VA_ARGS__)
#define KMEM_FROM_59(x, ...) KMEM_FROM_58(__VA_ARGS__)
#define KMEM_FROM_60(x, ...) KMEM_FROM_59(__VA_ARGS__)
#define KMEM_FROM_61(x, ...) KMEM_FROM_60(__VA_ARGS__)
#define KMEM_FROM_62(x, ...) KMEM_FROM_61(__VA_ARGS__)
#define KMEM_FROM_63(x, ...) KMEM_FROM_62(__VA_ARGS__)
#define KMEM_FROM_64(x, ...) KMEM_FROM_63(__VA_ARGS__)
#define KMEM_FROM_65(x, ...) KMEM_FROM_64(__VA_ARGS__)

/* The first n arguments. */
#define KMEM_FIRST_0(...)
#define KMEM_FIRST_1(x, ...) x
#define KMEM_FIRST_2(x, ...) x, KMEM_FIRST_1(__VA_ARGS__)
#define KMEM_FIRST_3(x, ...) x, KMEM_FIRST_2(__VA_ARGS__)
#define KMEM_FIRST_4(x, ...) x, KMEM_FIRST_3(__VA_ARGS__)
#define KMEM_FIRST_5(x, ...) x, KMEM_FIRST_4(__VA_ARGS__)
#define KMEM_FIRST_6(x, ...) x, KMEM_FIRST_5(__VA_ARGS__)
#define KMEM_FIRST_7(x, ...) x, KMEM_FIRST_6(__VA_ARGS__)
#define KMEM_FIRST_8(x, ...) x, KMEM_FIRST_7(__VA_ARGS__)
#define KMEM_FIRST_9(x, ...) x, KMEM_FIRST_8(__VA_ARGS__)
#define KMEM_FIRST_10(x, ...) x, KMEM_FIRST_9(__VA_ARGS__)
#define KMEM_FIRST_11(x, ...) x, KMEM_FIRST_10(__VA_ARGS__)
#define KMEM_FIRST_12(x, ...) x, KMEM_FIRST_11(__VA_ARGS__)
#define KMEM_FIRST_13(x, ...) x, KMEM_FIRST_12(__VA_ARGS__)
#define KMEM_FIRST_14(x, ...) x, KMEM_FIRST_13(__VA_ARGS__)
#define KMEM_FIRST_15(x, ...) x, KMEM_FIRST_14(__VA_ARGS__)
#define KMEM_FIRST_16(x, ...) x, KMEM_FIRST_15(__VA_ARGS__)
#define KMEM_FIRST_17(x, ...) x, KMEM_FIRST_16(__VA_ARGS__)
#define KMEM_FIRST_18(x, ...) x, KMEM_FIRST_17(__VA_ARGS__)
#define KMEM_FIRST_19(x, ...) x, KMEM_FIRST_18(__VA_ARGS__)
#define KMEM_FIRST_20(x, ...) x, KMEM_FIRST_19(__VA_ARGS__)
#define KMEM_FIRST_21(x, ...) x, KMEM_FIRST_20(__VA_ARGS__)
#define KMEM_FIRST_22(x, ...) x, KMEM_FIRST_21(__VA_ARGS__)
#define KMEM_FIRST_23(x, ...) x, KMEM_FIRST_22(__VA_ARGS__)
#define KMEM_FIRST_24(x, ...) x, KMEM_FIRST_23(__VA_ARGS__)
#define KMEM_FIRST_25(x, ...) x, KMEM_FIRST_24(__VA_ARGS__)
#define KMEM_FIRST_26(x, ...) x, KMEM_FIRST_25(__VA_ARGS__)
#define KMEM_FIRST_27(x, ...) x, KMEM_FIRST_26(__VA_ARGS__)
#define KMEM_FIRST_28(x, ...) x, KMEM_FIRST_27(__VA_ARGS__)
#define KMEM_FIRST_29(x, ...) x, KMEM_FIRST_28(__VA_ARGS__)
#define KMEM_FIRST_30(x, ...) x, KMEM_FIRST_29(__VA_ARGS__)
#define KMEM_FIRST_31(x, ...) x, KMEM_FIRST_30(__VA_ARGS__)
#define KMEM_FIRST_32(x, ...) x, KMEM_FIRST_31(__VA_ARGS__)
#define KMEM_FIRST_33(x, ...) x, KMEM_FIRST_32(__VA_ARGS__)
#define KMEM_FIRST_34(x, ...) x, KMEM_FIRST_33(__VA_ARGS__)
#define KMEM_FIRST_35(x, ...) x, KMEM_FIRST_34(__VA_ARGS__)
#define KMEM_FIRST_36(x, ...) x, KMEM_FIRST_35(__VA_ARGS__)
#define KMEM_FIRST_37(x, ...) x, KMEM_FIRST_36(__VA_ARGS__)
#define KMEM_FIRST_38(x, ...) x, KMEM_FIRST_37(__VA_ARGS__)
#define KMEM_FIRST_39(x, ...) x, KMEM_FIRST_38(__VA_ARGS__)
#define KMEM_FIRST_40(x, ...) x, KMEM_FIRST_39(__VA_ARGS__)
#define KMEM_FIRST_41(x, ...) x, KMEM_FIRST_40(__VA_ARGS__)
#define KMEM_FIRST_42(x, ...) x, KMEM_FIRST_41(__VA_ARGS__)
#define KMEM_FIRST_43(x, ...) x, KMEM_FIRST_42(__VA_ARGS__)
#define KMEM_FIRST_44(x, ...) x, KMEM_FIRST_43(__VA_ARGS__)
#define KMEM_FIRST_45(x, ...) x, KMEM_FIRST_44(__VA_ARGS__)
#define KMEM_FIRST_46(x, ...) x, KMEM_FIRST_45(__VA_ARGS__)
#define KMEM_FIRST_47(x, ...) x, KMEM_FIRST_46(__VA_ARGS__)
#define KMEM_FIRST_48(x, ...) x, KMEM_FIRST_47(__VA_ARGS__)
#define KMEM_FIRST_49(x, ...) x, KMEM_FIRST_48(__VA_ARGS__)
#define KMEM_FIRST_50(x, ...) x, KMEM_FIRST_49(__VA_ARGS__)
#define KMEM_FIRST_51(x, ...) x, KMEM_FIRST_50(__VA_ARGS__)
#define KMEM_FIRST_52(x, ...) x, KMEM_FIRST_51(__VA_ARGS__)
#define KMEM_FIRST_53(x, ...) x, KMEM_FIRST_52(__VA_ARGS__)
#define KMEM_FIRST_54(x, ...) x, KMEM_FIRST_53(__VA_ARGS__)
#define KMEM_FIRST_55(x, ...) x, KMEM_FIRST_54(__VA_ARGS__)
#define KMEM_FIRST_56(x, ...) x, KMEM_FIRST_55(__VA_ARGS__)
#define KMEM_FIRST_57(x, ...) x, KMEM_FIRST_56(__VA_ARGS__)
#define KMEM_FIRST_58(x, ...) x, KMEM_FIRST_57(__VA_ARGS__)
#define KMEM_FIRST_59(x, ...) x, KMEM_FIRST_58(__VA_ARGS__)
#define KMEM_FIRST_60(x, ...) x, KMEM_FIRST_59(__VA_ARGS__)
#define KMEM_FIRST_61(x, ...) x, KMEM_FIRST_60(__VA_ARGS__)
#define KMEM_FIRST_62(x, ...) x, KMEM_FIRST_61(__VA_ARGS__)
#define KMEM_FIRST_63(x, ...) x, KMEM_FIRST_62(__VA_ARGS__)
#define KMEM_FIRST_64(x, ...) x, KMEM_FIRST_63(__VA_ARGS__)

/* How many arguments: what stands behind 64 of them, when the numbers follow in reverse. */
#define KMEM_COUNT_PICK(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, \
			a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32, a33, a34, a35, a36, a37, a38, a39, \
			a40, a41, a42, a43, a44, a45, a46, a47, a48, a49, a50, a51, a52, a53, a54, a55, a56, a57, a58, \
			a59, a60, a61, a62, a63, a64, count, ...)                                                      \
	count
#define KMEM_COUNT(...)                                                                                                \
	KMEM_COUNT_PICK(0 __VA_OPT__(, ) __VA_ARGS__, 64, 63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49,  \
			48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26,    \
			25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,  \
			0)

#endif /* KMEM_ZEPHYR_UTIL_TABLES_H */
